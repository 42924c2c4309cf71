"""How values become columns: vectors as BLOBs with a checksum, text and numbers that SQLite can hold."""

import json
import math
import os
import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from musrecd.errors import LibraryError
from musrecd.types import Analysis, EncoderInfo, FloatArray, Label

if TYPE_CHECKING:
    import numpy.typing as npt

FLOAT = np.dtype("<f4")
UNIT_TOLERANCE = 1e-3
MAX_TEXT = 1000  # a tag or message longer than this helps nobody and would swell the library
MAX_GENRES = 50
MAX_ROWS = 2**32
_INT64_MAX = 2**63 - 1
_AUDIO_ID = re.compile(r"[0-9a-f]{40}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def slot(encoder_id: int, row: int) -> int:
    """Key of a row in `outputs`: all rows of one encoder lie together, in the order of the matrix."""
    return encoder_id * MAX_ROWS + row


def to_blob(values: "npt.ArrayLike", length: int, what: str) -> bytes:
    """Store a vector of `length` finite numbers as little-endian float32; anything else is refused."""
    with np.errstate(over="ignore"):  # what overflows float32 is found as infinite on the next lines
        vector = np.asarray(values).astype(FLOAT)
    if vector.shape != (length,):
        raise LibraryError(f"{what} has shape {vector.shape}, expected ({length},)")
    if not np.isfinite(vector).all():
        raise LibraryError(f"{what} contains NaN or infinite numbers")
    return vector.tobytes()


def unit_blob(values: "npt.ArrayLike", dim: int) -> bytes:
    """Store an embedding (dim,), which must be of unit length, or cosines would be wrong."""
    blob = to_blob(values, dim, "the embedding")
    length = float(np.linalg.norm(from_blob(blob)))
    if abs(length - 1.0) > UNIT_TOLERANCE:
        raise LibraryError(f"the embedding has length {length:.6g}, expected 1")
    return blob


def from_blob(blob: bytes) -> FloatArray:
    """Read what `to_blob` wrote: float32 (n,), read-only."""
    return np.frombuffer(blob, FLOAT)


def checksum(embedding: bytes, probabilities: bytes) -> int:
    """CRC-32 over both BLOBs, so that a flipped bit on the disk is noticed before it answers."""
    return zlib.crc32(probabilities, zlib.crc32(embedding))


def record_checksums(records: "npt.NDArray[np.void]") -> list[int]:
    """CRC-32 of each record, but for its last four bytes, where it stands in files."""
    size = records.dtype.itemsize
    data = memoryview(records.tobytes())
    return [zlib.crc32(data[start : start + size - 4]) for start in range(0, len(data), size)]


def intact(columns: Sequence[Any] | None, dim: int) -> bool:
    """Whether (embedding, probabilities, checksum) of an analysis are as they were stored."""
    if columns is None:
        return False
    embedding, probabilities, stored = columns
    if not (isinstance(embedding, bytes) and isinstance(probabilities, bytes)):
        return False  # SQLite takes any type in any column, and a damaged page may hold any
    return len(embedding) == dim * FLOAT.itemsize and checksum(embedding, probabilities) == stored


def clean_text(text: str) -> str:
    """Replace what SQLite or a terminal chokes on (NUL, lone surrogates) and bound the length."""
    return _UNSTORABLE.sub("\ufffd", text[:MAX_TEXT])


def fold(text: str) -> str:
    """Fold text for searching: composed or not, upper or lower case, it compares equal."""
    return unicodedata.normalize("NFKC", _UNSTORABLE.sub("\ufffd", text)).casefold()


def search_text(path: bytes, artist: str, title: str, album: str) -> str:
    """Everything `find` looks in, folded once when the file is written and not at each question."""
    return fold("\n".join((os.fsdecode(path), artist, title, album)))


def genres_to_text(genres: Iterable[str]) -> str:
    """Store genres in their order as JSON; none as nothing, which is quicker to read."""
    cleaned = [clean_text(genre) for genre in islice(genres, MAX_GENRES)]
    return json.dumps(cleaned) if cleaned else ""


def genres_from_text(text: str) -> tuple[str, ...]:
    """Read what `genres_to_text` wrote; what is damaged is none, so that it stands in nobody's way."""
    try:
        return tuple(map(str, json.loads(text))) if text else ()
    except (ValueError, TypeError):
        return ()


def clamp(number: int) -> int:
    """Bring an integer into the 64 bits of SQLite; the same file is clamped alike each time."""
    return max(-_INT64_MAX - 1, min(int(number), _INT64_MAX))


def check_audio_id(audio_id: str) -> None:
    """Refuse what cannot be the identity of a recording."""
    if not _AUDIO_ID.fullmatch(audio_id):
        raise LibraryError(f"audio id {audio_id[:60]!r} is not 40 lowercase hexadecimal digits")


def check_numbers(analysis: Analysis) -> None:
    """Refuse NaN and infinities: SQLite would silently store NaN as NULL."""
    for name in ("duration_s", "bpm", "bpm_confidence", "key_confidence"):
        value = getattr(analysis, name)
        if value is not None and not math.isfinite(value):
            raise LibraryError(f"{name} of the analysis is {value}, expected a finite number")


def labels_to_json(labels: tuple[Label, ...]) -> str:
    """Labels in their order, as `[[name, group], …]`."""
    return json.dumps([[label.name, label.group] for label in labels])


def encoder_from_row(version: str, dim: int, labels: str) -> EncoderInfo:
    """Read an encoder back from its columns."""
    try:
        return EncoderInfo(version, dim, tuple(Label(name, group) for name, group in json.loads(labels)))
    except (ValueError, TypeError) as error:
        raise LibraryError(f"the labels of encoder {version!r} in the library are damaged") from error


def file_name_part(version: str) -> str:
    """Name an encoder version within a file name; the digest keeps `a/b` and `a_b` apart."""
    digest = f"{zlib.crc32(version.encode('utf-8', 'surrogatepass')):08x}"
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', version)[:40]}-{digest}"


def now() -> str:
    """Tell the time in UTC, readable and sortable."""
    return datetime.now(UTC).isoformat(timespec="seconds")
