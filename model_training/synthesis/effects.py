"""The mixing desk: room, echo, the push of the kick, the limiter."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import gaussian_filter1d, minimum_filter1d
from scipy.signal import lfilter

from model_training.synthesis.tones import band, decay, noise
from musrecd.types import FloatArray

CEILING = 0.89  # -1 dBFS: room for what lossy codecs add

_LIMITER_BLOCK = 64


@lru_cache(maxsize=16)
def _room(room_s: float, sr: int) -> FloatArray:
    """Return the impulse response (2, n) of a room that falls by 60 dB within `room_s`."""
    rng = np.random.default_rng(int(1000 * room_s))
    n, n_before = int(room_s * sr), int(0.014 * sr)
    tail = [band(noise(n, rng), sr, 180.0, 5500.0, order=1) * decay(n, sr, room_s / 6.9) for _ in range(2)]
    response = np.zeros((2, n_before + n), dtype=np.float32)
    response[:, n_before:] = tail
    return response / np.float32(np.sqrt(np.sum(response[0] ** 2)))


def reverberate(dry: FloatArray, room_s: float, sr: int) -> FloatArray:
    """Return what the room answers (2, n) to `dry` (n,)."""
    if room_s <= 0 or not dry.any():
        return np.zeros((2, len(dry)), dtype=np.float32)
    response = _room(room_s, sr)
    size = next_fast_len(len(dry) + response.shape[1], real=True)
    wet: FloatArray = irfft(rfft(dry, size) * rfft(response, size), size)[:, : len(dry)]
    return wet


def echo(y: FloatArray, delay: int, level: float, *, repeats: int = 3) -> FloatArray:
    """Add `repeats` echoes of `y` (n,), `delay` samples apart, each `level` times the one before."""
    out = y.copy()
    for repeat in range(1, repeats + 1):
        out[repeat * delay :] += np.float32(level**repeat) * y[: max(0, len(y) - repeat * delay)]
    return out


def delayed(y: FloatArray, n: int) -> FloatArray:
    """Return `y` (…) `n` samples later, of the same length."""
    return y if n == 0 else np.concatenate([np.zeros(n, dtype=np.float32), y[:-n]])


def pumping(starts: Sequence[int], n: int, sr: int, *, recovery_s: float = 0.11) -> FloatArray:
    """Return a curve (n,) that is one at every start and falls away: how far a kick pushes the others."""
    curve = np.zeros(n, dtype=np.float32)
    fall = decay(int(5 * recovery_s * sr), sr, recovery_s)
    for start in starts:
        piece = curve[start : start + len(fall)]
        np.maximum(piece, fall[: len(piece)], out=piece)
    return curve


def limit(y: FloatArray, sr: int) -> FloatArray:
    """Keep `y` (channels, n) under the ceiling by turning it down around its peaks, both channels alike."""
    n = y.shape[1]
    n_blocks = -(-n // _LIMITER_BLOCK)
    loudest = np.zeros(n_blocks * _LIMITER_BLOCK, dtype=np.float32)
    loudest[:n] = np.abs(y).max(axis=0)
    peaks = loudest.reshape(n_blocks, _LIMITER_BLOCK).max(axis=1)
    gain = np.minimum(1.0, CEILING / np.maximum(peaks, 1e-9))
    around = max(3, int(0.012 * sr / _LIMITER_BLOCK))
    gain = gaussian_filter1d(minimum_filter1d(gain, 2 * around + 1), around / 3, truncate=3.0)
    smooth = np.interp(np.arange(n), (np.arange(n_blocks) + 0.5) * _LIMITER_BLOCK, gain).astype(np.float32)
    limited: FloatArray = np.clip(y * smooth, -CEILING, CEILING)
    return limited


def master(y: FloatArray, sr: int, loudness_dbfs: float) -> FloatArray:
    """Bring `y` (channels, n) to an RMS level in dBFS, with a little saturation before the limiter."""
    y = np.stack([band(channel, sr, 28.0, sr / 2) for channel in y])
    rms = float(np.sqrt(np.mean(y**2)))
    if rms == 0.0:
        return y
    y = y * np.float32(10.0 ** (loudness_dbfs / 20) / rms)
    return limit(np.float32(1.25) * np.tanh(np.float32(0.8) * y), sr)


def fade_out(y: FloatArray, n_fade: int) -> FloatArray:
    """Let the last `n_fade` samples of `y` (channels, n) fall to silence."""
    if n_fade > 0:
        y[:, -n_fade:] *= np.linspace(1.0, 0.0, n_fade, dtype=np.float32) ** 1.5
    return y


def worn(y: FloatArray, seed: int) -> FloatArray:
    """Distort, hiss and tilt the spectrum now and then; the peak is 0.9 afterwards."""
    rng = np.random.default_rng([seed, 7])
    y = y / max(1e-6, float(np.abs(y).max()))
    if rng.random() < 0.3:
        y = np.tanh(y * rng.uniform(1.5, 8))
    if rng.random() < 0.3:
        y = y + 3 * 10 ** (-rng.uniform(20, 45) / 20) * np.abs(y).mean() * rng.standard_normal(len(y))
    if rng.random() < 0.5:
        y = lfilter([1, -rng.uniform(-0.6, 0.6)], [1], y)
    worn: FloatArray = (0.9 * y / max(1e-6, float(np.abs(y).max()))).astype(np.float32)
    return worn
