"""Files to measure with: one composed piece in eight formats, and long recordings that are soon made."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from model_training.synthesis.encode import write_audio
from model_training.synthesis.render import render_piece
from tests.conftest import encode

_SR = 44_100
# Format → suffix and codec.
FORMATS = {
    "mp3": (".mp3", "libmp3lame"),
    "flac": (".flac", "flac"),
    "ogg": (".ogg", "vorbis"),
    "opus": (".opus", "libopus"),
    "m4a": (".m4a", "aac"),
    "wma": (".wma", "wmav2"),
    "wav": (".wav", "pcm_s16le"),
    "alac": (".alac.m4a", "alac"),
}
_RESAMPLED = {"opus": 48_000}
_LONG_SR, _LONG_BIT_RATE = 16_000, 32_000
_FRAME_HEADER = b"\xff\xf3"  # an MPEG-2 layer III frame without checksum


def write_formats(folder: Path, seconds: float, kinds: Iterable[str] = FORMATS) -> dict[str, Path]:
    """Write a piece of `seconds` in stereo, in each of `kinds`; what is longer than a minute begins again after it."""
    minute = render_piece("hard_rock", 1, min(60.0, seconds), _SR, channels=2)
    y = np.tile(minute, -(-round(seconds * _SR) // minute.shape[1]))[:, : round(seconds * _SR)]
    paths = {name: folder / f"piece{FORMATS[name][0]}" for name in kinds}
    for name, path in paths.items():
        sr = _RESAMPLED.get(name, _SR)
        if not path.exists():
            encode(path, _at(y, sr), sr, FORMATS[name][1])
    return paths


def _at(y: np.ndarray, sr: int) -> np.ndarray:
    import soxr

    return y if sr == _SR else soxr.resample(y.T, _SR, sr).T


def write_long(path: Path, minutes: float) -> Path:
    """Write `minutes` of music as mp3 at a low rate: one minute that is repeated, frame by frame."""
    minute = path.with_name("minute.mp3")
    write_audio(minute, render_piece("house", 2, 60.0, _LONG_SR), _LONG_SR, bit_rate=_LONG_BIT_RATE)
    data = minute.read_bytes()
    frames = data[data.index(_FRAME_HEADER) :]
    minute.unlink()
    with path.open("wb") as file:
        for _ in range(round(minutes)):
            file.write(frames)
    return path
