"""What was heard besides the embedding in a file of rows: length, tempo, key, labels, to be compared all at once."""

import math
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from musrecd.keys import KEYS
from musrecd.library.encoding import FLOAT, from_blob, intact
from musrecd.library.rowfile import RowFile
from musrecd.library.rows import Layout
from musrecd.types import Features, Label

_SELECT = """
    SELECT o.id, o.embedding, o.probabilities, o.checksum,
        r.duration_s, a.bpm, a.bpm_confidence, a."key", a.key_confidence
    FROM outputs o
    CROSS JOIN analyses a ON a.encoder_id = o.id / 4294967296 AND a."row" = o.id % 4294967296
    CROSS JOIN recordings r ON r.id = a.recording_id
"""
_NUMBERS = struct.Struct("<ffffb")  # duration, bpm, its confidence, that of the key, key
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
        sound = [i for i, columns in enumerate(rows) if _is_sound(columns, dim, n_labels)]
        # All at once: numpy takes as long for one row as for a hundred.
        steps = _in_steps(b"".join(rows[i][1] for i in sound))
        for place, i in enumerate(sound):
            # A damaged page may hold values of any type.
            with suppress(TypeError, ValueError, struct.error):
                begin = place * n_labels
                found[i] = (_numbers(*rows[i][3:]) + steps[begin : begin + n_labels]).ljust(n_bytes, b"\x00")
        return found

    nothing = _numbers(0.0, None, None, None, None).ljust(n_bytes, b"\x00")
    return Layout("features", n_bytes, _SELECT, records, nothing)


def read(file: RowFile, labels: tuple[Label, ...]) -> Features:
    """Features of all rows, read-only; views of the file."""
    rows = file.read().view(_dtype(len(labels))).reshape(-1)
    return Features(
        duration_s=rows["duration_s"],
        bpm=rows["bpm"],
        bpm_confidence=rows["bpm_confidence"],
        key=rows["key"],
        key_confidence=rows["key_confidence"],
        probabilities=rows["probabilities"],
        labels=labels,
    )


def _is_sound(columns: Sequence[Any], dim: int, n_labels: int) -> bool:
    return intact(columns[:3], dim) and len(columns[1]) == n_labels * FLOAT.itemsize


def _dtype(n_labels: int) -> "np.dtype[np.void]":
    names = ["duration_s", "bpm", "bpm_confidence", "key_confidence", "key", "probabilities"]
    n_bytes = _NUMBERS.size + n_labels
    return np.dtype(
        {
            "names": names,
            "formats": ["<f4", "<f4", "<f4", "<f4", "i1", ("u1", (n_labels,))],
            "offsets": [0, 4, 8, 12, 16, _NUMBERS.size],
            "itemsize": n_bytes + -n_bytes % _ALIGNMENT,
        }
    )


def _numbers(
    duration_s: float, bpm: float | None, bpm_confidence: float | None, key: str | None, key_confidence: float | None
) -> bytes:
    floats = (duration_s, math.nan if bpm is None else bpm, bpm_confidence or 0.0, key_confidence or 0.0)
    return _NUMBERS.pack(*map(_bounded, floats), _KEY_INDEX.get(key, _NO_KEY) if key is not None else _NO_KEY)


def _bounded(number: float) -> float:
    """Bring a number into float32; NaN stays."""
    return number if math.isnan(number) else max(-_LARGEST, min(number, _LARGEST))


def _in_steps(probabilities: bytes) -> bytes:
    steps = np.clip(from_blob(probabilities), 0, 1) * _STEPS
    return np.rint(steps).astype(np.uint8).tobytes()
