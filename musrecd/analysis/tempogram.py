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
RATIOS = (1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0, 6.0, 8.0)
_NEARBY = (0.985, 0.9925, 1.0, 1.0075, 1.015)

# Edges in shares of the mel bands: bass drum and bass, the body of chords, voices, cymbals (200, 650, 2,000 Hz).
_BAND_EDGES = (0.0, 1 / 16, 5 / 24, 1 / 2, 1.0)
N_BANDS = len(_BAND_EDGES) - 1
# Strokes of one drum, or one chord, fill the same of these; what sounds on after them the same of those.
_N_FINE = 24
_N_LEVELS = 12
# Where a bass drum and a snare take turns, the one follows the other by a beat.
_TURNS = ((0, 2), (0, 3), (1, 3))
# The rows of an autocorrelation: each band, all fine bands together, all levels together, bands that take turns.
N_ROWS = N_BANDS + 2 + len(_TURNS)
_LEVEL_TREND_S = 4.0
_LEVEL_SMOOTH_S = 0.06
_RANGE_DB = 60.0
_TREND_S = 0.8
_SHORTEST_S = 1.5
_LONGEST_LAG_S = 8.0
_QUICKEST_S = 0.2
# Below this rise (dB, mean over bands and time) nothing begins: silence, a held tone.
_LEAST_RISE_DB = 0.01


@dataclass(frozen=True, slots=True)
class Tempogram:
    """How the onsets of one excerpt repeat, by band.

    `acf` (N_ROWS, n_lags) is the autocorrelation, 1 at lag 0, a lag being one frame; `spectrum` (N_BANDS, n) the
    magnitude of the Fourier transform in shares of all; `rates` (N_BANDS,) how many onsets a second has.
    `frame_rate` in Hz, `seconds` the length of the excerpt.
    """

    acf: FloatArray
    spectrum: FloatArray
    rates: FloatArray
    frame_rate: float
    seconds: float

    def repeats_at(self, bpm: FloatArray) -> FloatArray:
        """Autocorrelation (N_ROWS, …) at the period of `bpm` (…); 0 where the excerpt is too short for it."""
        return _sampled(self.acf, 60 * self.frame_rate / bpm)

    def pulses_at(self, bpm: FloatArray) -> FloatArray:
        """Magnitude (N_BANDS, …) of the pulse at `bpm` (…)."""
        n_fft = 2 * (self.spectrum.shape[1] - 1)
        return _sampled(self.spectrum, bpm / 60 / self.frame_rate * n_fft)


def onset_strength(S: FloatArray, frame_rate: float) -> FloatArray:
    """How much begins in each frame, (N_BANDS + fine bands + levels, n_frames - 1), about zero on average; `S` in dB.

    The first N_BANDS rows are broad bands; then come fine ones, and at last how loud each part of the spectrum is.
    """
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

    audible = np.maximum(S, S.max() - _RANGE_DB).astype(np.float32, copy=False)
    before = maximum_filter1d(audible[:, :-1], 3, axis=0)
    rise = np.maximum(audible[:, 1:] - before, 0)
    if rise.mean() < _LEAST_RISE_DB:
        return np.zeros((N_BANDS + _N_FINE + _N_LEVELS, rise.shape[1]), np.float32)
    fine = np.linspace(0, len(S), _N_FINE + 1)
    bands = np.concatenate([_banded(rise, np.array(_BAND_EDGES) * len(S)), _banded(rise, fine)])
    # The square root keeps one loud stroke from being all that counts.
    compressed = np.sqrt(np.maximum(gaussian_filter1d(bands, 1.0, axis=1), 0))
    strength = compressed - uniform_filter1d(compressed, round(_TREND_S * frame_rate), axis=1)
    levels = _banded(audible[:, 1:], np.linspace(0, len(S) * 2 / 3, _N_LEVELS + 1))
    smooth = gaussian_filter1d(levels, _LEVEL_SMOOTH_S * frame_rate, axis=1)
    heights = smooth - uniform_filter1d(smooth, round(_LEVEL_TREND_S * frame_rate), axis=1)
    rows: FloatArray = np.concatenate([strength, heights])
    return rows


def _banded(rows: FloatArray, edges: np.ndarray) -> FloatArray:
    """Means (n_edges - 1, n) of neighbouring rows."""
    at = np.round(edges).astype(int)
    return np.stack([rows[low:high].mean(0) for low, high in pairwise(at)])


def tempogram(onsets: FloatArray, frame_rate: float) -> Tempogram | None:
    """Tempogram of `onsets` as `onset_strength` returns them; None if they are too few seconds, or nothing begins."""
    from scipy.fft import irfft, next_fast_len, rfft

    n = onsets.shape[1]
    if n < _SHORTEST_S * frame_rate or not np.any(onsets):
        return None
    n_fft = next_fast_len(2 * n, real=True)
    n_fft += n_fft % 2
    spectrum = rfft(onsets[:N_BANDS] * np.hanning(n).astype(np.float32), 2 * n_fft, axis=1)
    repeated = irfft(_powers(rfft(onsets, n_fft, axis=1)), n_fft, axis=1)
    acf = repeated[:, : min(n - 1, round(_LONGEST_LAG_S * frame_rate))]
    energy = acf[:, :1].copy()
    energy[-len(_TURNS) :, 0] = [np.sqrt(max(0.0, energy[a, 0] * energy[b, 0])) for a, b in _TURNS]
    overlap = 1 - np.arange(acf.shape[1]) / n
    magnitude = np.abs(spectrum)
    whole = np.sqrt((magnitude**2).mean(1, keepdims=True))
    return Tempogram(
        acf=np.where(energy > 0, acf / np.maximum(energy, 1e-9) / np.maximum(overlap, 0.2), 0).astype(np.float32),
        spectrum=np.where(whole > 0, magnitude / np.maximum(whole, 1e-9), 0).astype(np.float32),
        rates=_rates(onsets[:N_BANDS], frame_rate),
        frame_rate=frame_rate,
        seconds=n / frame_rate,
    )


def _rates(bands: FloatArray, frame_rate: float) -> FloatArray:
    """Peaks a second in each band (n_bands, n) that stand out."""
    inner = bands[:, 1:-1]
    peaks = (inner > bands[:, :-2]) & (inner >= bands[:, 2:]) & (inner > bands.std(1, keepdims=True))
    rates: FloatArray = (peaks.sum(1) / bands.shape[1] * frame_rate).astype(np.float32)
    return rates


def _powers(spectra: np.ndarray) -> FloatArray:
    """Spectra (N_ROWS, n) of what repeats in the rows of a tempogram, from those of onsets."""
    power = np.abs(spectra) ** 2
    together = [power[N_BANDS : N_BANDS + _N_FINE].sum(0), power[N_BANDS + _N_FINE :].sum(0)]
    # The real part is the mean of who comes first and who comes second.
    turns = [(spectra[a] * spectra[b].conj()).real for a, b in _TURNS]
    return np.stack([*power[:N_BANDS], *together, *turns])


def evidence(tempograms: Sequence[Tempogram]) -> FloatArray:
    """Return what speaks for each of TEMPI_BPM, (n_tempi, n_features): mean over excerpts."""
    weights = np.array([t.seconds for t in tempograms])
    features = np.stack([_features(t) for t in tempograms])
    mean: FloatArray = np.tensordot(weights / weights.sum(), features, 1).astype(np.float32)
    return mean


def _features(t: Tempogram) -> FloatArray:
    bpm = TEMPI_BPM[:, None, None] * np.array(RATIOS)[:, None] * np.array(_NEARBY)
    # What repeats at a tempo may lie a little beside it: players and grids are not exact.
    both = np.concatenate([t.repeats_at(bpm).max(-1), np.log1p(t.pulses_at(bpm).max(-1))])
    at_tempo = both.transpose(1, 0, 2).reshape(len(TEMPI_BPM), -1)
    return np.concatenate([at_tempo, _around(t)], axis=1)


def _around(t: Tempogram) -> FloatArray:
    """Return what holds for all of TEMPI_BPM, or changes evenly: tempo, onsets in a beat, how clear the pulse is."""
    bpm = TEMPI_BPM[:, None]
    quick = int(_QUICKEST_S * t.frame_rate)
    clearest = t.acf[:, quick:].max(1) if t.acf.shape[1] > quick else np.zeros(len(t.acf))
    speed = np.log(bpm / 100)
    return np.concatenate([speed, speed**2, np.log(60 * t.rates / bpm + 0.1), clearest + 0 * bpm], axis=1)


def _sampled(rows: FloatArray, position: FloatArray) -> FloatArray:
    """Values of `rows` (n_rows, n) at fractional positions (…), 0 beyond the last: (n_rows, …)."""
    left = np.minimum(position.astype(int), rows.shape[1] - 2)
    share = (position - left).astype(np.float32)
    values: FloatArray = np.where(share <= 1, rows[:, left] * (1 - share) + rows[:, left + 1] * share, 0)
    return values
