"""Which pitches sound: spectral peaks, the tuning they agree on, and how loud each semitone is in each frame.

Peaks are found in the log spectrum and refined by a parabola (Smith and Serra, PARSHL, 1987); the tuning is the
circular mean of their distances from equal temperament at 440 Hz, weighted by magnitude (after Dressler and Streich,
Tuning Frequency Estimation Using Circular Statistics, ISMIR 2007); as in Gomez's harmonic pitch class profiles
(2006), a peak counts the less the farther it lies from its semitone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musrecd.types import FloatArray

LOWEST_PITCH = 24  # MIDI, C1: pitch classes begin with C
N_OCTAVES = 6
N_PITCHES = 12 * N_OCTAVES

# Half a second tells semitones apart from A2 on and, as one note at a time sounds below, the bass as well.
_FRAME_S = 0.512
_LOWEST_HZ = 40.0
_HIGHEST_HZ = 2100.0
_FLOOR = 1e-7
# So few that they stay in the processor's cache.
_BLOCK_FRAMES = 4
# Harmonics of low notes lie between their neighbours: the tuning is asked of what is higher.
_TUNED_FROM = 45
# Below this agreement of the peaks they are noise and drums, which have no tuning; 1 is perfect.
_LEAST_AGREEMENT = 0.1


@dataclass(frozen=True, slots=True)
class Pitches:
    """`magnitudes` (n_frames, N_PITCHES) of semitones from `LOWEST_PITCH` on; `tuning_cents` from -50 to 50."""

    magnitudes: FloatArray
    tuning_cents: float


@dataclass(frozen=True, slots=True)
class _Peaks:
    """Frame, pitch (MIDI, fractional) and magnitude of each spectral peak."""

    frames: np.ndarray
    pitches: FloatArray
    magnitudes: FloatArray


def hear_pitches(ys: Sequence[FloatArray], sr: float) -> Pitches:
    """Find what sounds in the excerpts `ys` (each (n,), mono at `sr` Hz), all in one tuning."""
    spectra = np.concatenate([_spectra(y, sr) for y in ys])
    peaks = _peaks(spectra, sr)
    tuning = _tuning(peaks)
    tuned = peaks.pitches - tuning
    nearest = np.round(tuned)
    weights = peaks.magnitudes * np.cos(np.pi * (tuned - nearest)) ** 2
    inside = (nearest >= LOWEST_PITCH) & (nearest < LOWEST_PITCH + N_PITCHES)
    cells = peaks.frames[inside] * N_PITCHES + nearest[inside].astype(np.intp) - LOWEST_PITCH
    magnitudes = np.bincount(cells, weights[inside], len(spectra) * N_PITCHES)
    return Pitches(magnitudes.astype(np.float32).reshape(-1, N_PITCHES), 100 * tuning)


def _n_fft(sr: float) -> int:
    return round(_FRAME_S * sr)


def _spectra(y: FloatArray, sr: float) -> FloatArray:
    """Magnitudes (n_frames, n_bins) up to the highest pitch; frames overlap by half."""
    # Late, as in the front-end: whoever only reads parameters does without.
    import scipy.fft

    n_fft = _n_fft(sr)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
    y = y.astype(np.float32, copy=False) if y.size >= n_fft else np.pad(y, (0, n_fft - y.size)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft)[:: n_fft // 2]
    magnitudes = np.empty((len(frames), int(_HIGHEST_HZ * n_fft / sr) + 2), np.float32)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        spectra = scipy.fft.rfft(frames[block] * window, axis=1)[:, : magnitudes.shape[1]]
        # Not numpy's abs: guarding against overflow would cost as much as the transform.
        magnitudes[block] = np.sqrt(spectra.real**2 + spectra.imag**2)
    return magnitudes


def _peaks(spectra: FloatArray, sr: float) -> _Peaks:
    hz_per_bin = sr / _n_fft(sr)
    lowest = int(_LOWEST_HZ / hz_per_bin)
    logs = np.log(spectra[:, lowest:] + _FLOOR)
    rises = logs[:, 1:] > logs[:, :-1]
    found = rises[:, :-1] & ~rises[:, 1:] & (spectra[:, lowest + 1 : -1] > _FLOOR)
    frames, bins = np.divmod(np.flatnonzero(found), found.shape[1])
    at = frames * logs.shape[1] + bins
    a, b, c = (logs.ravel().take(at + step) for step in range(3))
    offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -_FLOOR)
    hz = (lowest + bins + 1 + offset) * hz_per_bin
    return _Peaks(frames, 69 + 12 * np.log2(hz / 440), np.exp(b - 0.25 * (a - c) * offset))


def _tuning(peaks: _Peaks) -> float:
    """Return the deviation from 440 Hz in semitones, from -0.5 to 0.5; 0 where nothing has a pitch."""
    high = peaks.pitches >= _TUNED_FROM
    weights = peaks.magnitudes[high].astype(np.float64)
    total = weights.sum()
    if total <= 0:
        return 0.0
    pitches = peaks.pitches[high]
    # The same angle in a single turn, which single precision is enough for.
    angles = (2 * np.pi * (pitches - np.round(pitches))).astype(np.float32)
    mean = complex(weights @ np.cos(angles), weights @ np.sin(angles)) / total
    return float(np.angle(mean) / (2 * np.pi)) if abs(mean) >= _LEAST_AGREEMENT else 0.0
