"""Analyses on their way to another library: a file of records, named by their sound, that is safe to read from anybody.

    musrec analyses 1\\n     what it is, and the version of the format
    {"encoder": …}\\n        JSON: version, dim and labels of the encoder that all records are from
    n, n records            blocks: n as 4 bytes, little-endian as all numbers, then the records of `record_type`
    0                       the end: a file without it was cut short
    chunks …                what exchange_chunks.py says, in newer files

Nothing in it is executed, every size is bounded before it is read, every record has a checksum of its own, and no
number comes into the library that hearing could not have given. Paths and tags are not in it.
"""

import json
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from musrecd.errors import ExchangeError, MusrecError
from musrecd.keys import KEYS
from musrecd.library import exchange_chunks
from musrecd.library.database import PATIENT_TIMEOUT_S, connect, library_errors
from musrecd.library.encoding import (
    FLOAT,
    UNIT_TOLERANCE,
    encoder_from_row,
    intact,
    labels_to_json,
    record_checksums,
    slot,
)
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo

if TYPE_CHECKING:
    import numpy.typing as npt

MAGIC = b"musrec analyses 1\n"
_KIND = b"musrec analyses "
_MAX_HEADER = 2**20
_BLOCK = 2048  # records
_COUNT = struct.Struct("<I")
_MAX_DURATION_S = 1e7
_MAX_BPM = 1000.0
_NO_KEY = -1

_ANALYSES = """
    SELECT a."row", r.audio_id, r.duration_s, r.n_damaged_packets, a.bpm, a.bpm_confidence, a."key", a.key_confidence,
        a.hearing, o.embedding, o.probabilities, o.checksum
    FROM analyses a
    JOIN recordings r ON r.id = a.recording_id
    JOIN outputs o ON o.id = ? + a."row"
    WHERE a.encoder_id = ? AND a.damaged = 0 AND a."row" > ?
    ORDER BY a."row" LIMIT ?
"""
_KNOWN = """
    SELECT r.audio_id FROM recordings r
    JOIN analyses a ON a.recording_id = r.id AND a.damaged = 0
    JOIN encoders e ON e.id = a.encoder_id AND e.version = ? AND a.hearing >= e.hearing
    ORDER BY r.audio_id
"""
_ENCODERS = "SELECT id, version, dim, labels FROM encoders ORDER BY n_rows DESC, id DESC"


@dataclass(slots=True)
class Imported:
    """What became of the records of a file; `is_whole`: whether it was not cut short."""

    added: int = 0
    known: int = 0
    unsound: int = 0
    is_whole: bool = True


def known_ids(path: Path, version: str) -> bytes:
    """All recordings with a sound analysis of the version: their `audio_id` of 20 bytes each, sorted.

    Raises LibraryError.
    """
    with library_errors(path), closing(connect(path, "ro", PATIENT_TIMEOUT_S)) as connection:
        return b"".join(bytes.fromhex(audio_id) for (audio_id,) in connection.execute(_KNOWN, [version]))


def export_analyses(path: Path, file: IO[bytes], version: str | None = None) -> tuple[EncoderInfo, int]:
    """Write all sound analyses of an encoder, by default of the one that answers; returns it and how many they are.

    In short steps, so that others may write meanwhile. Raises LibraryError, ExchangeError if there is no such encoder,
    OSError.
    """
    with library_errors(path), closing(connect(path, "ro", PATIENT_TIMEOUT_S)) as connection:
        encoder_id, info = _find_encoder(connection, version)
        file.write(MAGIC + _header(info))
        n_written = 0
        for records in _blocks(connection, encoder_id, info):
            _write(file, _COUNT.pack(len(records)) + records.tobytes())
            n_written += len(records)
        _write(file, _COUNT.pack(0))
        for piece in exchange_chunks.written(connection, encoder_id, info):
            _write(file, piece)
    return info, n_written


def import_analyses(library: Library, file: IO[bytes], own: EncoderInfo, hearing: int = 0) -> Imported:
    """Store the analyses that the library lacks; sound ones of its own stay.

    `own` is the encoder in use here, `hearing` what tempo and key come from. Raises LibraryError, OSError, and
    ExchangeError if the file is none of ours or from another encoder, of which nothing is stored.
    """
    info = _read_header(file)
    if info != own:
        other = "has other labels" if info.version == own.version else f"and not {own.version}, which is in use here"
        raise ExchangeError(f"it was heard by the encoder {info.version[:60]!r}, {other}; let them update musrec")
    library.register_encoder(own, hearing)
    imported = Imported()
    for records in _read_blocks(file, record_type(own), imported):
        sound = _is_sound(records)
        analyses = [_analysis(record, own.version) for record in records[sound]]
        added = library.keep_new(analyses)
        imported.added += added
        imported.known += len(analyses) - added
        imported.unsound += len(records) - len(analyses)
    for found in exchange_chunks.read(file, own.dim) if imported.is_whole else ():
        if found is None:
            imported.is_whole = False
        else:
            library.keep_chunks(own.version, found)
    return imported


def is_export(path: Path) -> bool:
    """Whether a file begins as ours do, of whatever version. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_KIND)) == _KIND


def record_type(info: EncoderInfo) -> "np.dtype[np.void]":
    """How a record is laid out: NaN stands for what was not heard, -1 for no key, otherwise an index of `KEYS`.

    `checksum` is the CRC-32 of all bytes before it.
    """
    return np.dtype(
        [
            ("audio_id", "u1", 20),
            ("duration_s", "<f8"),
            ("n_damaged_packets", "<i8"),
            ("bpm", "<f8"),
            ("bpm_confidence", "<f8"),
            ("key", "i1"),
            ("key_confidence", "<f8"),
            ("hearing", "<i8"),
            ("embedding", FLOAT, info.dim),
            ("probabilities", FLOAT, len(info.labels)),
            ("checksum", "<u4"),
        ]
    )


def _find_encoder(connection: sqlite3.Connection, version: str | None) -> tuple[int, EncoderInfo]:
    encoders = {number: encoder_from_row(*columns) for number, *columns in connection.execute(_ENCODERS)}
    for number, info in encoders.items():
        if version in (None, info.version):
            return number, info
    if version is None:
        raise ExchangeError("the library is empty; run `musrecd scan FOLDER` first")
    there = ", ".join(info.version for info in encoders.values())
    raise ExchangeError(f"the library has no analyses of an encoder {version!r}; there are {there}")


def _header(info: EncoderInfo) -> bytes:
    encoder = {"version": info.version, "dim": info.dim, "labels": json.loads(labels_to_json(info.labels))}
    return json.dumps({"encoder": encoder}).encode("ascii") + b"\n"


def _blocks(connection: sqlite3.Connection, encoder_id: int, info: EncoderInfo) -> "Iterator[npt.NDArray[np.void]]":
    kind, last = record_type(info), -1
    first = slot(encoder_id, 0)
    while rows := connection.execute(_ANALYSES, [first, encoder_id, last, _BLOCK]).fetchall():
        last = rows[-1][0]
        sound = [columns for columns in rows if _is_intact(columns[-3:], info)]
        if sound:
            yield _records(sound, kind)


def _is_intact(outputs: tuple[Any, ...], info: EncoderInfo) -> bool:
    return intact(outputs, info.dim) and len(outputs[1]) == len(info.labels) * FLOAT.itemsize


def _records(rows: list[tuple[Any, ...]], kind: "np.dtype[np.void]") -> "npt.NDArray[np.void]":
    records = np.zeros(len(rows), kind)
    _, ids, durations, damaged, bpms, bpm_confidences, keys, key_confidences, hearings, embeddings, probabilities, _ = (
        zip(*rows, strict=True)
    )
    records["audio_id"] = np.frombuffer(bytes.fromhex("".join(ids)), np.uint8).reshape(-1, 20)
    records["duration_s"] = durations
    records["n_damaged_packets"] = damaged
    records["bpm"] = np.array(bpms, float)  # None becomes NaN
    records["bpm_confidence"] = np.array(bpm_confidences, float)
    records["key"] = [KEYS.index(key) if key in KEYS else _NO_KEY for key in keys]
    records["key_confidence"] = np.array(key_confidences, float)
    records["hearing"] = hearings
    records["embedding"] = np.frombuffer(b"".join(embeddings), FLOAT).reshape(len(rows), -1)
    records["probabilities"] = np.frombuffer(b"".join(probabilities), FLOAT).reshape(len(rows), -1)
    records["checksum"] = record_checksums(records)
    return records


def _write(file: IO[bytes], data: bytes) -> None:
    # Within `library_errors`, which would take the file's own trouble for that of the library.
    try:
        file.write(data)
    except OSError as error:
        raise ExchangeError(f"it cannot be written: {error.strerror}") from error


def _read_header(file: IO[bytes]) -> EncoderInfo:
    magic = file.readline(len(MAGIC))
    if magic != MAGIC:
        if magic.startswith(_KIND):
            raise ExchangeError("it is of another version of musrec; update the older of the two")
        raise ExchangeError("it is no file that `musrecd export` wrote")
    try:
        encoder = json.loads(file.readline(_MAX_HEADER))["encoder"]
        if type(encoder["version"]) is not str or type(encoder["dim"]) is not int:
            raise TypeError("version has to be a text, dim a number")
        return encoder_from_row(encoder["version"], encoder["dim"], json.dumps(encoder["labels"]))
    except (ValueError, KeyError, TypeError, RecursionError, MusrecError) as error:
        raise ExchangeError("its header is damaged") from error


def _read_blocks(file: IO[bytes], kind: "np.dtype[np.void]", imported: Imported) -> "Iterator[npt.NDArray[np.void]]":
    """Yield what is there; how the file ends is noted in `imported`."""
    while True:
        count = file.read(_COUNT.size)
        n = _COUNT.unpack(count)[0] if len(count) == _COUNT.size else None
        if n is None or n > _BLOCK:
            imported.is_whole = False
            return
        if n == 0:
            return
        data = file.read(n * kind.itemsize)
        n_whole = len(data) // kind.itemsize
        if n_whole:
            yield np.frombuffer(data, kind, n_whole)


def _is_sound(records: "npt.NDArray[np.void]") -> "npt.NDArray[np.bool_]":
    """Which records are as they were written, and what hearing could have given."""
    probabilities = records["probabilities"]
    with np.errstate(invalid="ignore", over="ignore"):
        length = np.sqrt((records["embedding"].astype(float) ** 2).sum(axis=1))
        checks = [
            records["checksum"] == np.array(record_checksums(records), np.uint32),
            _is_within(records["duration_s"], 0, _MAX_DURATION_S),
            records["n_damaged_packets"] >= 0,
            np.isnan(records["bpm"]) | (_is_within(records["bpm"], 0, _MAX_BPM) & (records["bpm"] > 0)),
            np.isnan(records["bpm_confidence"]) | _is_within(records["bpm_confidence"], 0, 1),
            _is_within(records["key"], _NO_KEY, len(KEYS) - 1),
            records["hearing"] >= 0,
            np.isnan(records["key_confidence"]) | _is_within(records["key_confidence"], 0, 1),
            np.abs(length - 1) <= UNIT_TOLERANCE / 2,
            _is_within(probabilities, 0, 1).all(axis=1),
        ]
    sound: npt.NDArray[np.bool_] = np.logical_and.reduce(checks)
    return sound


def _is_within(values: "npt.NDArray[Any]", low: float, high: float) -> "npt.NDArray[np.bool_]":
    """NaN is not."""
    return (values >= low) & (values <= high)


def _analysis(record: np.void, version: str) -> Analysis:
    key = int(record["key"])
    return Analysis(
        audio_id=record["audio_id"].tobytes().hex(),
        encoder_version=version,
        embedding=record["embedding"],
        probabilities=record["probabilities"],
        duration_s=float(record["duration_s"]),
        n_damaged_packets=int(record["n_damaged_packets"]),
        bpm=_or_none(record["bpm"]),
        bpm_confidence=_or_none(record["bpm_confidence"]),
        key=None if key == _NO_KEY else KEYS[key],
        key_confidence=_or_none(record["key_confidence"]),
        hearing=int(record["hearing"]),
    )


def _or_none(number: np.float64) -> float | None:
    return None if np.isnan(number) else float(number)
