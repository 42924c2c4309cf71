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
    nearest = np.round(tuned).astype(np.intp)
    weights = peaks.magnitudes * np.cos(np.pi * (tuned - nearest)) ** 2
    inside = (nearest >= LOWEST_PITCH) & (nearest < LOWEST_PITCH + N_PITCHES)
    magnitudes = np.zeros((len(spectra), N_PITCHES), np.float32)
    np.add.at(magnitudes, (peaks.frames[inside], nearest[inside] - LOWEST_PITCH), weights[inside])
    return Pitches(magnitudes, 100 * tuning)


def _n_fft(sr: float) -> int:
    return round(_FRAME_S * sr)


def _spectra(y: FloatArray, sr: float) -> FloatArray:
    """Magnitudes (n_frames, n_bins) up to the highest pitch; frames overlap by half."""
    # Late, as in the front-end: whoever only reads parameters does without.
    import scipy.fft

    n_fft = _n_fft(sr)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
    padded = np.pad(y.astype(np.float32, copy=False), (0, max(0, n_fft - y.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[:: n_fft // 2]
    n_bins = int(_HIGHEST_HZ * n_fft / sr) + 2
    magnitudes: FloatArray = np.abs(scipy.fft.rfft(frames * window, axis=1)[:, :n_bins])
    return magnitudes


def _peaks(spectra: FloatArray, sr: float) -> _Peaks:
    logs = np.log(spectra + _FLOOR)
    below, middle, above = logs[:, :-2], logs[:, 1:-1], logs[:, 2:]
    found = (middle > below) & (middle >= above) & (spectra[:, 1:-1] > _FLOOR)
    hz_per_bin = sr / _n_fft(sr)
    found[:, : int(_LOWEST_HZ / hz_per_bin)] = False
    frames, bins = np.nonzero(found)
    a, b, c = below[found], middle[found], above[found]
    offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -_FLOOR)
    hz = (bins + 1 + offset) * hz_per_bin
    return _Peaks(frames, 69 + 12 * np.log2(hz / 440), np.exp(b - 0.25 * (a - c) * offset))


def _tuning(peaks: _Peaks) -> float:
    """Return the deviation from 440 Hz in semitones, from -0.5 to 0.5; 0 where nothing has a pitch."""
    high = peaks.pitches >= _TUNED_FROM
    weights = peaks.magnitudes[high].astype(np.float64)
    total = weights.sum()
    if total <= 0:
        return 0.0
    mean = np.sum(weights * np.exp(2j * np.pi * peaks.pitches[high])) / total
    return float(np.angle(mean) / (2 * np.pi)) if abs(mean) >= _LEAST_AGREEMENT else 0.0
