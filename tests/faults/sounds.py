"""Many small sounds, each another recording, written in no time."""

import wave
from pathlib import Path

import numpy as np

_SR = 8000


def write_sound(path: Path, number: int, seconds: float = 1.0) -> None:
    """Write a WAV of a chord with noise; the same number is the same recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_SR)
        file.writeframes(sound_bytes(number, seconds))


def sound_bytes(number: int, seconds: float = 1.0) -> bytes:
    """Samples of a sound, 16 bits, 8 kHz, mono."""
    rng = np.random.default_rng(number)
    t = np.arange(round(seconds * _SR)) / _SR
    chord = sum(np.sin(2 * np.pi * f * t) for f in rng.uniform(80, 2000, 3)) / 3
    y = 0.5 * chord + 0.1 * rng.standard_normal(t.size)
    return (y * 20_000).clip(-32_768, 32_767).astype("<i2").tobytes()


def write_sounds(folder: Path, n: int, *, per_folder: int = 100, first: int = 0) -> list[Path]:
    """Write `n` recordings into folders of `per_folder`; returns their paths."""
    paths = [folder / f"album {i // per_folder:04d}" / f"{i:06d}.wav" for i in range(first, first + n)]
    for number, path in enumerate(paths, first):
        write_sound(path, number)
    return paths
