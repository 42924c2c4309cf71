"""Where in time something begins, and how it repeats: onset strength, its autocorrelation and its spectrum.

Onsets are rises of the log-mel spectrum over a maximum filter along frequency, which vibrato does not trigger
(Böck & Widmer, Maximum Filter Vibrato Suppression for Onset Detection, DAFx 2013). Autocorrelation shows a tempo and
its fractions, the spectrum a tempo and its multiples; seen together they tell them apart (Peeters, Time Variable
Tempo Detection and Beat Marking, ICMC 2005).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from musrecd.types import FloatArray

# Tempi that are told apart, 1 % from one to the next.
TEMPI_BPM = 40.0 * 1.01 ** np.arange(182)
# What is asked about a tempo: how strong is what repeats at this multiple of it.
RATIOS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0)
_NEARBY = (0.985, 0.9925, 1.0, 1.0075, 1.015)

# Edges in shares of the mel bands: bass drum and bass, the body of chords, voices, cymbals (200, 650, 2,000 Hz).
_BAND_EDGES = (0.0, 1 / 16, 5 / 24, 1 / 2, 1.0)
N_BANDS = len(_BAND_EDGES) - 1
_RANGE_DB = 60.0
_TREND_S = 0.8
_SHORTEST_S = 1.5
_LONGEST_LAG_S = 8.0
# Below this rise (dB, mean over bands and time) nothing begins: silence, a held tone.
_LEAST_RISE_DB = 0.01


@dataclass(frozen=True, slots=True)
class Tempogram:
    """How the onsets of one excerpt repeat, by band.

    `acf` (N_BANDS, n_lags) is the autocorrelation, 1 at lag 0, a lag being one frame; `spectrum` (N_BANDS, n) the
    magnitude of the Fourier transform in shares of all. `frame_rate` in Hz, `seconds` the length of the excerpt.
    """

    acf: FloatArray
    spectrum: FloatArray
    frame_rate: float
    seconds: float

    def repeats_at(self, bpm: FloatArray) -> FloatArray:
        """Autocorrelation (N_BANDS, …) at the period of `bpm` (…); 0 where the excerpt is too short for it."""
        return _sampled(self.acf, 60 * self.frame_rate / bpm)

    def pulses_at(self, bpm: FloatArray) -> FloatArray:
        """Magnitude (N_BANDS, …) of the pulse at `bpm` (…)."""
        n_fft = 2 * (self.spectrum.shape[1] - 1)
        return _sampled(self.spectrum, bpm / 60 / self.frame_rate * n_fft)


def onset_strength(S: FloatArray, frame_rate: float) -> FloatArray:
    """How much begins in each frame and band, (N_BANDS, n_frames - 1), about zero on average; `S` in dB."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

    audible = np.maximum(S, S.max() - _RANGE_DB).astype(np.float32, copy=False)
    before = maximum_filter1d(audible[:, :-1], 3, axis=0)
    rise = np.maximum(audible[:, 1:] - before, 0)
    edges = np.round(np.array(_BAND_EDGES) * len(S)).astype(int)
    bands = np.stack([rise[low:high].mean(0) for low, high in pairwise(edges)])
    smooth = gaussian_filter1d(bands, 1.0, axis=1)
    # The square root keeps one loud stroke from being all that counts.
    compressed = np.sqrt(np.maximum(smooth, 0))
    strength: FloatArray = compressed - uniform_filter1d(compressed, round(_TREND_S * frame_rate), axis=1)
    return strength if rise.mean() >= _LEAST_RISE_DB else np.zeros_like(strength)


def tempogram(onsets: FloatArray, frame_rate: float) -> Tempogram | None:
    """Tempogram of `onsets` (N_BANDS, n); None if they are too few seconds, or nothing begins."""
    from scipy.fft import irfft, next_fast_len, rfft

    n = onsets.shape[1]
    if n < _SHORTEST_S * frame_rate or not np.any(onsets):
        return None
    n_fft = next_fast_len(2 * n, real=True)
    n_fft += n_fft % 2
    spectrum = rfft(onsets * np.hanning(n).astype(np.float32), 2 * n_fft, axis=1)
    power = np.abs(rfft(onsets, n_fft, axis=1)) ** 2
    acf = irfft(power, n_fft, axis=1)[:, : min(n - 1, round(_LONGEST_LAG_S * frame_rate))]
    overlap = 1 - np.arange(acf.shape[1]) / n
    energy = acf[:, :1]
    magnitude = np.abs(spectrum)
    whole = np.sqrt((magnitude**2).mean(1, keepdims=True))
    return Tempogram(
        acf=np.where(energy > 0, acf / np.maximum(energy, 1e-9) / np.maximum(overlap, 0.2), 0).astype(np.float32),
        spectrum=np.where(whole > 0, magnitude / np.maximum(whole, 1e-9), 0).astype(np.float32),
        frame_rate=frame_rate,
        seconds=n / frame_rate,
    )


def evidence(tempograms: Sequence[Tempogram]) -> FloatArray:
    """Return what speaks for each of TEMPI_BPM, (n_tempi, 2 · N_BANDS · n_ratios): mean over excerpts."""
    weights = np.array([t.seconds for t in tempograms])
    features = np.stack([_features(t) for t in tempograms])
    mean: FloatArray = np.tensordot(weights / weights.sum(), features, 1).astype(np.float32)
    return mean


def _features(t: Tempogram) -> FloatArray:
    bpm = TEMPI_BPM[:, None, None] * np.array(RATIOS)[:, None] * np.array(_NEARBY)
    # What repeats at a tempo may lie a little beside it: players and grids are not exact.
    both = np.stack([t.repeats_at(bpm).max(-1), np.log1p(t.pulses_at(bpm).max(-1))])
    return both.transpose(2, 0, 1, 3).reshape(len(TEMPI_BPM), -1)


def _sampled(rows: FloatArray, position: FloatArray) -> FloatArray:
    """Values of `rows` (n_rows, n) at fractional positions (…), 0 beyond the last: (n_rows, …)."""
    left = np.minimum(position.astype(int), rows.shape[1] - 2)
    share = (position - left).astype(np.float32)
    values: FloatArray = np.where(share <= 1, rows[:, left] * (1 - share) + rows[:, left + 1] * share, 0)
    return values
