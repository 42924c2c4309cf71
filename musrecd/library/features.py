"""What was heard besides the embedding in a file of rows: length, tempo, key, labels, to be compared all at once."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from musrecd.keys import KEYS
from musrecd.library.encoding import FLOAT, from_blob
from musrecd.library.rows import Layout, Records
from musrecd.types import Features, Label

if TYPE_CHECKING:
    import numpy.typing as npt

_SELECT = """
    SELECT o.id, o.embedding, o.probabilities, o.checksum,
        r.duration_s, a.bpm, a.bpm_confidence, a."key", a.key_confidence
    FROM outputs o
    LEFT JOIN analyses a ON a.encoder_id = o.id / 4294967296 AND a."row" = o.id % 4294967296
    LEFT JOIN recordings r ON r.id = a.recording_id
"""
_NUMBERS_BYTES = 17
_ALIGNMENT = 4
_LARGEST = float(np.finfo(np.float32).max)
_STEPS = 255
_NO_KEY = -1
_KEY_INDEX = {key: index for index, key in enumerate(KEYS)}


def layout(dim: int, n_labels: int) -> Layout:
    """Lay out features; a damaged analysis has none, and lasts 0 s."""
    n_bytes = _dtype(n_labels).itemsize

    def records(rows: Sequence[Sequence[Any]]) -> list[bytes | None]:
        found: list[bytes | None] = [None] * len(rows)
        # Without an analysis there is no length.
        known = [
            i
            for i, (_, probabilities, _, duration_s, *_) in enumerate(rows)
            if len(probabilities) == n_labels * FLOAT.itemsize and duration_s is not None
        ]
        for i, record in zip(known, in_records([rows[i][1:] for i in known]), strict=True):
            found[i] = record
        return found

    def in_records(columns: Sequence[Sequence[Any]]) -> list[bytes | None]:
        # All at once: numpy takes as long for one row as for a hundred.
        try:
            array = _array(columns, n_labels)
        except (TypeError, ValueError, OverflowError):
            # A damaged page may hold values of any type.
            return [None] if len(columns) == 1 else [record for row in columns for record in in_records([row])]
        data = array.tobytes()
        return [data[begin : begin + n_bytes] for begin in range(0, len(data), n_bytes)]

    nothing = _array([(bytes(n_labels * FLOAT.itemsize), None, 0.0, None, None, None, None)], n_labels).tobytes()
    return Layout("features", dim, n_bytes, _SELECT, records, nothing)


def of_records(records: Records, labels: tuple[Label, ...]) -> Features:
    """See features of all rows, read-only, in those of the file."""
    rows = records.view(_dtype(len(labels))).reshape(-1)
    return Features(
        duration_s=rows["duration_s"],
        bpm=rows["bpm"],
        bpm_confidence=rows["bpm_confidence"],
        key=rows["key"],
        key_confidence=rows["key_confidence"],
        probabilities=rows["probabilities"],
        labels=labels,
    )


def _dtype(n_labels: int) -> "np.dtype[np.void]":
    names = ["duration_s", "bpm", "bpm_confidence", "key_confidence", "key", "probabilities"]
    n_bytes = _NUMBERS_BYTES + n_labels
    return np.dtype(
        {
            "names": names,
            "formats": ["<f4", "<f4", "<f4", "<f4", "i1", ("u1", (n_labels,))],
            "offsets": [0, 4, 8, 12, 16, _NUMBERS_BYTES],
            "itemsize": n_bytes + -n_bytes % _ALIGNMENT,
        }
    )


def _array(columns: Sequence[Sequence[Any]], n_labels: int) -> "npt.NDArray[np.void]":
    """Lay out columns of rows: probabilities, checksum, duration, bpm, its confidence, key, that one's confidence."""
    by_column = list(zip(*columns, strict=True)) or [()] * 7
    probabilities, _, duration_s, bpm, bpm_confidence, key, key_confidence = by_column
    array = np.zeros(len(columns), _dtype(n_labels))
    array["duration_s"] = _floats(duration_s, 0.0)
    array["bpm"] = _floats(bpm, math.nan)
    array["bpm_confidence"] = _floats(bpm_confidence, 0.0)
    array["key_confidence"] = _floats(key_confidence, 0.0)
    array["key"] = [_KEY_INDEX.get(each, _NO_KEY) for each in key]
    array["probabilities"] = _in_steps(b"".join(probabilities)).reshape(len(columns), n_labels)
    return array


def _floats(values: Sequence[Any], unknown: float) -> "npt.NDArray[np.float64]":
    """Bring numbers into the limits of float32; NaN stays."""
    known = np.array([unknown if value is None else value for value in values], np.float64)
    return np.clip(known, -_LARGEST, _LARGEST)


def _in_steps(probabilities: bytes) -> "npt.NDArray[np.uint8]":
    steps = np.clip(from_blob(probabilities), 0, 1) * _STEPS
    return np.rint(steps).astype(np.uint8)
