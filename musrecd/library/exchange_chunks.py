"""The second part of an export: how recordings sound piece by piece, for those that have it.

    chunks\\n               what follows; versions that know nothing of it read no further than the first part
    n, k, n records         blocks: n and k as 4 bytes each, then records of k chunks each, see `record_type`
    0, 0                    the end

As safe to read as the first part: see exchange.py.
"""

import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from musrecd.library import chunks
from musrecd.library.encoding import FLOAT, record_checksums, slot
from musrecd.types import Chunks, EncoderInfo

if TYPE_CHECKING:
    import numpy.typing as npt

MAGIC = b"chunks\n"
_SIZES = struct.Struct("<II")
_BLOCK = 512  # recordings
_MOST_IN_BLOCK = 2**16  # chunks of all recordings together
_MOST_S = 1e7

_STORED = """
    SELECT c.id, r.audio_id, c.spans, c.directions, c.checksum
    FROM chunks c
    JOIN analyses a ON a.encoder_id = ? AND a."row" = c.id - ?
    JOIN recordings r ON r.id = a.recording_id
    WHERE c.id > ? AND c.id < ? AND a.damaged = 0
    ORDER BY c.id LIMIT ?
"""


def record_type(n_chunks: int, dim: int) -> "np.dtype[np.void]":
    """How a record is laid out: the columns of `chunks`; `checksum` is the CRC-32 of all bytes before it."""
    return np.dtype(
        [
            ("audio_id", "u1", 20),
            ("spans", FLOAT, (n_chunks, 2)),
            ("directions", "i1", (n_chunks, dim)),
            ("checksum", "<u4"),
        ]
    )


def written(connection: sqlite3.Connection, encoder_id: int, info: EncoderInfo) -> Iterator[bytes]:
    """Yield the second part piece by piece; nothing if no recording has chunks. Raises sqlite3.Error."""
    first, behind = slot(encoder_id, 0), slot(encoder_id + 1, 0)
    last, begin = first - 1, MAGIC
    while rows := connection.execute(_STORED, [encoder_id, first, last, behind, _BLOCK]).fetchall():
        last = rows[-1][0]
        for records in _records(rows, info.dim):
            yield begin + _SIZES.pack(len(records), records["spans"].shape[1]) + records.tobytes()
            begin = b""
    if not begin:
        yield _SIZES.pack(0, 0)


def read(file: IO[bytes], dim: int) -> Iterator[dict[str, Chunks] | None]:
    """Yield the chunks of recordings, by `audio_id`, that are as they were written; None at last if it was cut short.

    Raises OSError.
    """
    begin = file.read(len(MAGIC))
    if not begin:
        return
    while begin == MAGIC:
        sizes = file.read(_SIZES.size)
        n, n_chunks = _SIZES.unpack(sizes) if len(sizes) == _SIZES.size else (0, 1)
        if (n, n_chunks) == (0, 0):
            return
        if not (0 < n <= _BLOCK and n_chunks > 0 and n * n_chunks <= _MOST_IN_BLOCK):
            break
        kind = record_type(n_chunks, dim)
        data = file.read(n * kind.itemsize)
        yield _sound(np.frombuffer(data, kind, len(data) // kind.itemsize))
        if len(data) < n * kind.itemsize:
            break
    yield None


def _records(rows: list[tuple[Any, ...]], dim: int) -> "Iterator[npt.NDArray[np.void]]":
    """Yield those that are sound, recordings of as many chunks together, so that all records of a block are as long."""
    alike: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for _, audio_id, spans, directions, stored in rows:
        if chunks.is_sound((spans, directions, stored), dim):
            alike[len(spans) // (2 * FLOAT.itemsize)].append((audio_id, spans, directions))
    for n_chunks, found in sorted(alike.items()):
        at_once = _MOST_IN_BLOCK // max(n_chunks, 1)
        if not n_chunks or not at_once:
            continue
        for start in range(0, len(found), at_once):
            yield _block(found[start : start + at_once], record_type(n_chunks, dim))


def _block(rows: list[tuple[Any, ...]], kind: "np.dtype[np.void]") -> "npt.NDArray[np.void]":
    records = np.zeros(len(rows), kind)
    for record, (audio_id, spans, directions) in zip(records, rows, strict=True):
        record["audio_id"] = np.frombuffer(bytes.fromhex(audio_id), np.uint8)
        record["spans"] = np.frombuffer(spans, FLOAT).reshape(kind["spans"].shape)
        record["directions"] = np.frombuffer(directions, np.int8).reshape(kind["directions"].shape)
    records["checksum"] = record_checksums(records)
    return records


def _sound(records: "npt.NDArray[np.void]") -> dict[str, Chunks]:
    found = {}
    for record in records[records["checksum"] == np.array(record_checksums(records), np.uint32)]:
        begins, ends = record["spans"].T
        with np.errstate(invalid="ignore"):
            is_possible = (begins >= 0).all() and (ends >= begins).all() and (ends <= _MOST_S).all()
        if is_possible:
            directions = chunks.directions_of(record["directions"])
            found[record["audio_id"].tobytes().hex()] = Chunks(record["spans"].copy(), directions)
    return found
