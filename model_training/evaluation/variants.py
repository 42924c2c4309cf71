"""The same recording in another coat: encoded, cut, quieter, dull. What is heard must not change."""

from collections.abc import Callable
from pathlib import Path

import scipy.signal

from model_training.synthesis.encode import write_audio
from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.types import FloatArray

# Hz; wide enough for all that a listener hears.
_SR = 44_100
_MOST_S = 600.0
_MIDDLE_S = 30.0
_MP3_BIT_RATE = 64_000
_ORDER = 12

WHOLE_TRACKS_ONLY = "middle 30 s"


def decode_whole(path: Path, sr: int) -> FloatArray:
    """Decode a recording from beginning to end, mono (n,) at `sr` Hz; ten minutes are the most."""
    with listen(bytes(path), ExcerptPlan(_MOST_S, 1)) as recording:
        return recording.decode(sr)[0]


def low_passed(y: FloatArray, cutoff_hz: float) -> FloatArray:
    """Leave nothing to speak of above `cutoff_hz`; no delay."""
    sections = scipy.signal.butter(_ORDER, cutoff_hz, fs=_SR, output="sos")
    filtered: FloatArray = scipy.signal.sosfiltfilt(sections, y).astype(y.dtype)
    return filtered


def cut(y: FloatArray, n: int) -> FloatArray:
    """Return the middle `n` samples."""
    start = max(0, (y.size - n) // 2)
    return y[start : start + n]


VARIANTS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "64 kbit/s mp3": lambda y: y,
    WHOLE_TRACKS_ONLY: lambda y: cut(y, round(_MIDDLE_S * _SR)),
    "middle half": lambda y: cut(y, y.size // 2),
    "6 dB quieter": lambda y: y * 10 ** (-6 / 20),
    "low-pass 8 kHz": lambda y: low_passed(y, 8000),
    "low-pass 4 kHz": lambda y: low_passed(y, 4000),
}


def write_variant(path: Path, variant: str, folder: Path) -> Path:
    """Write a variant of the recording at `path` into `folder`: mp3 or, without further loss, FLAC."""
    y = VARIANTS[variant](decode_whole(path, _SR))
    target = folder / ("variant.mp3" if variant.endswith("mp3") else "variant.flac")
    write_audio(target, y, _SR, bit_rate=_MP3_BIT_RATE)
    return target
