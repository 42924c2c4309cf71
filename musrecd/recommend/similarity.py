"""Likeness in sound: cosines between unit vectors."""

import mmap
import os
from collections.abc import Callable, Iterator
from threading import Thread

import numpy as np

from musrecd.types import FloatArray

_BLOCK_BYTES = 2**24
# As much is looked at in less time than threads take to begin.
_SMALL_BYTES = 2**23
# Less than this nobody misses, nor waits for; and more stays with nobody.
_LARGE_BYTES = 2**27
_MOST_KEPT_BYTES = 2**30
_ROWS_AT_ONCE = 256
# Memory is what limits it.
_MOST_THREADS = 4


def mean_direction(embeddings: FloatArray) -> FloatArray:
    """Return the unit vector (dim,) in the middle of unit vectors (n, dim).

    Vectors that cancel out have no middle; then it is the first of them.
    """
    mean: np.ndarray = embeddings.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        first: FloatArray = embeddings[0]
        return first
    direction: FloatArray = (mean / length).astype(np.float32)
    return direction


def cosines(vectors: FloatArray, direction: FloatArray, *, keeps: bool = False) -> FloatArray:
    """Return the cosine (n,) of each of `vectors` (n, dim) to a `direction` (dim,), all of unit length.

    Of a large file that is mapped each block is let go of when it was looked at: the memory of whoever asks about a
    million tracks stays small, and the file in that of the system, from where it comes back soon. Whoever asks again
    and again `keeps` up to two million, which takes 20 ms in place of 34 for one; the system may still take it away.
    """
    found: FloatArray = np.empty(len(vectors), np.float32)
    is_large = vectors.nbytes > _LARGE_BYTES
    mapping = _mapping(vectors) if is_large and not (keeps and vectors.nbytes <= _MOST_KEPT_BYTES) else None
    begin = 0 if mapping is None else _address(vectors) - _address(np.frombuffer(mapping, np.uint8))
    n_threads = min(_MOST_THREADS, os.cpu_count() or 1) if vectors.nbytes > _SMALL_BYTES else 1
    n_bytes = min(_BLOCK_BYTES, -(-vectors.nbytes // (2 * n_threads)))
    n_rows = max(1, n_bytes // max(1, vectors.shape[1] * vectors.itemsize))

    def look_at(starts: Iterator[int]) -> None:
        for start in starts:
            block = vectors[start : start + n_rows]
            np.dot(block, direction, out=found[start : start + n_rows])
            if mapping is not None:
                _let_go(mapping, begin + start * vectors.strides[0], block.nbytes)

    _together(look_at, iter(range(0, len(vectors), n_rows)), n_threads)
    np.clip(found, -1, 1, out=found)
    return found


def _together(work: Callable[[Iterator[int]], None], starts: Iterator[int], n_threads: int) -> None:
    """Let some threads take one start after the other, so that none waits for another one that has no processor."""
    helpers = [Thread(target=work, args=(starts,)) for _ in range(n_threads - 1)]
    for helper in helpers:
        helper.start()
    work(starts)
    for helper in helpers:
        helper.join()


def gathered(vectors: FloatArray, rows: np.ndarray) -> FloatArray:
    """Return some rows (n, dim) of `vectors`, which are let go of as `cosines` does.

    The system maps what lies around each, too.
    """
    mapping = _mapping(vectors) if vectors.nbytes > _LARGE_BYTES else None
    if mapping is None:
        some: FloatArray = vectors[rows]
        return some
    found: FloatArray = np.empty((len(rows), vectors.shape[1]), vectors.dtype)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        np.take(vectors, rows[start : start + _ROWS_AT_ONCE], axis=0, out=found[start : start + _ROWS_AT_ONCE])
        mapping.madvise(mmap.MADV_DONTNEED)
    return found


def _mapping(array: np.ndarray) -> mmap.mmap | None:
    """Return the file that an array is a view of; None if it is none, or one that may have been changed in memory."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    if not isinstance(base, mmap.mmap) or not hasattr(base, "madvise") or not array.flags.c_contiguous:
        return None
    # What was changed in memory, and not in the file, would be lost.
    return base if memoryview(base).readonly else None


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def _let_go(mapping: mmap.mmap, begin: int, n_bytes: int) -> None:
    first = -(-begin // mmap.PAGESIZE) * mmap.PAGESIZE
    if (length := begin + n_bytes - first) > 0:
        mapping.madvise(mmap.MADV_DONTNEED, first, length)
