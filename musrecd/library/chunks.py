"""How recordings sound piece by piece, as the library keeps it: directions in bytes, beside what they are made of.

They only tell which parts of two tracks are close, so that whoever ranks never reads them, and what is damaged is
simply not there. About 800 bytes for the minute that is heard of a track.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from musrecd.errors import LibraryError
from musrecd.library.encoding import FLOAT, checksum
from musrecd.types import Chunks, FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

# `id` is that of the analysis in `outputs`.
READ = "SELECT id, spans, directions, checksum FROM chunks WHERE id IN (?*)"
_READ_ONE = "SELECT spans, directions, checksum FROM chunks WHERE id = ?"
_PUT = "INSERT OR REPLACE INTO chunks (id, spans, directions, checksum) VALUES (?, ?, ?, ?)"
_LARGEST = 127


def put(connection: sqlite3.Connection, slot: int, chunks: Chunks, dim: int) -> None:
    """Store the chunks of an analysis. Raises LibraryError if they are none."""
    spans = np.asarray(chunks.spans_s).astype(FLOAT)
    directions = np.asarray(chunks.directions)
    if spans.shape != (len(directions), 2) or directions.shape != (len(spans), dim):
        raise LibraryError(f"chunks have shapes {spans.shape} and {directions.shape}, expected (n, 2) and (n, {dim})")
    if not (np.isfinite(spans).all() and np.isfinite(directions).all()):
        raise LibraryError("the chunks contain NaN or infinite numbers")
    columns = spans.tobytes(), quantised(directions).tobytes()
    connection.execute(_PUT, [slot, *columns, checksum(*columns)])


def put_new(connection: sqlite3.Connection, slot: int, chunks: Chunks, dim: int) -> None:
    """Store the chunks of an analysis that has none that are sound. Raises LibraryError if they are none."""
    if read_one(connection, slot, dim) is None:
        put(connection, slot, chunks, dim)


def read_one(connection: sqlite3.Connection, slot: int, dim: int) -> Chunks | None:
    """Return the chunks of one analysis. Raises sqlite3.Error."""
    found = connection.execute(_READ_ONE, [slot]).fetchone()
    return None if found is None else _chunks(found, dim)


def from_rows(rows: Iterable[tuple[Any, ...]], dim: int) -> dict[int, Chunks]:
    """Take from what `READ` found the chunks that are sound, by their id."""
    found = ((key, _chunks(columns, dim)) for key, *columns in rows)
    return {key: chunks for key, chunks in found if chunks is not None}


def quantised(directions: FloatArray) -> "npt.NDArray[np.int8]":
    """Round directions (n, dim) to bytes, the largest number of each to 127: how long they are need not be kept."""
    largest = np.abs(directions).max(axis=1, keepdims=True, initial=0)
    steps: npt.NDArray[np.int8] = np.rint(directions * (_LARGEST / np.maximum(largest, 1e-9))).astype(np.int8)
    return steps


def directions_of(steps: "npt.NDArray[np.int8]") -> FloatArray:
    """Return the unit vectors (n, dim) that were rounded; each number is off by half a step of its row at most."""
    vectors = steps.astype(np.float32)
    directions: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
    return directions


def is_sound(columns: Sequence[Any], dim: int) -> bool:
    """Whether (spans, directions, checksum) are as they were stored; a damaged page may hold anything."""
    spans, directions, stored = columns
    if not (isinstance(spans, bytes) and isinstance(directions, bytes)):
        return False
    return len(spans) * dim == len(directions) * 2 * FLOAT.itemsize and checksum(spans, directions) == stored


def _chunks(columns: Sequence[Any], dim: int) -> Chunks | None:
    if not is_sound(columns, dim):
        return None
    spans, directions, _ = columns
    steps = np.frombuffer(directions, np.int8).reshape(-1, dim)
    return Chunks(np.frombuffer(spans, FLOAT).reshape(-1, 2), directions_of(steps))
