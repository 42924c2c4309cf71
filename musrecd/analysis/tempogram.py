"""Where in time something begins, and how it repeats: onset strength, its autocorrelation and its spectrum.

Onsets are rises of the log-mel spectrum over a maximum filter along frequency, which vibrato does not trigger
(Böck & Widmer, Maximum Filter Vibrato Suppression for Onset Detection, DAFx 2013). Autocorrelation shows a tempo and
its fractions, the spectrum a tempo and its multiples; seen together they tell them apart (Peeters, Time Variable
Tempo Detection and Beat Marking, ICMC 2005).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
# What is asked of TEMPI_BPM: each ratio, and as players and grids are not exact, what lies a little beside it.
_ASKED_BPM = np.array(_NEARBY)[:, None, None] * (TEMPI_BPM * np.array(RATIOS)[:, None])


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


def onset_strength(S: FloatArray, frame_rate: float) -> FloatArray:
    """How much begins in each frame, (N_BANDS + fine bands + levels, n_frames - 1), about zero on average; `S` in dB.

    The first N_BANDS rows are broad bands; then come fine ones, and at last how loud each part of the spectrum is.
    """
    from scipy.ndimage import gaussian_filter1d, uniform_filter1d

    audible = np.maximum(S, S.max() - _RANGE_DB).astype(np.float32, copy=False)
    before = audible[:, :-1].copy()
    np.maximum(before[1:], audible[:-1, :-1], out=before[1:])
    np.maximum(before[:-1], audible[1:, :-1], out=before[:-1])
    rise = np.maximum(audible[:, 1:] - before, 0)
    if rise.mean() < _LEAST_RISE_DB:
        return np.zeros((N_BANDS + _N_FINE + _N_LEVELS, rise.shape[1]), np.float32)
    of_onsets, of_levels = _bands(len(S))
    bands = of_onsets @ rise
    # The square root keeps one loud stroke from being all that counts.
    compressed = np.sqrt(np.maximum(gaussian_filter1d(bands, 1.0, axis=1), 0))
    strength = compressed - uniform_filter1d(compressed, round(_TREND_S * frame_rate), axis=1)
    smooth = gaussian_filter1d(of_levels @ audible[:, 1:], _LEVEL_SMOOTH_S * frame_rate, axis=1)
    heights = smooth - uniform_filter1d(smooth, round(_LEVEL_TREND_S * frame_rate), axis=1)
    rows: FloatArray = np.concatenate([strength, heights])
    return rows


@lru_cache(maxsize=1)
def _bands(n_mels: int) -> tuple[FloatArray, FloatArray]:
    """Matrices that take the means of neighbouring mel bands: for onsets, broad and fine, and for levels."""
    fine, levels = np.linspace(0, n_mels, _N_FINE + 1), np.linspace(0, n_mels * 2 / 3, _N_LEVELS + 1)
    onsets = np.concatenate([_means(np.array(_BAND_EDGES) * n_mels, n_mels), _means(fine, n_mels)])
    return onsets, _means(levels, n_mels)


def _means(edges: np.ndarray, n: int) -> FloatArray:
    at = np.round(edges).astype(int)
    rows = np.arange(n)
    return np.stack([((low <= rows) & (rows < high)) / np.float32(high - low) for low, high in pairwise(at)])


def tempogram(onsets: FloatArray, frame_rate: float) -> Tempogram | None:
    """Tempogram of `onsets` as `onset_strength` returns them; None if they are too few seconds, or nothing begins."""
    from scipy.fft import irfft, rfft

    n = onsets.shape[1]
    if n < _SHORTEST_S * frame_rate or not np.any(onsets):
        return None
    n_fft = _even_fast_length(2 * n)
    spectrum = rfft(onsets[:N_BANDS] * np.hanning(n).astype(np.float32), 2 * n_fft, axis=1)
    repeated = irfft(_powers(rfft(onsets, n_fft, axis=1)), n_fft, axis=1)
    energy = repeated[:, :1].copy()
    energy[-len(_TURNS) :, 0] = [np.sqrt(max(0.0, energy[a, 0] * energy[b, 0])) for a, b in _TURNS]
    magnitude = np.abs(spectrum)
    whole = np.sqrt((magnitude**2).mean(1, keepdims=True))
    return Tempogram(
        acf=_in_shares(repeated, energy, n, frame_rate),
        spectrum=np.where(whole > 0, magnitude / np.maximum(whole, 1e-9), 0).astype(np.float32),
        rates=_rates(onsets[:N_BANDS], frame_rate),
        frame_rate=frame_rate,
        seconds=n / frame_rate,
    )


def autocorrelation(onsets: FloatArray, frame_rate: float) -> FloatArray | None:
    """First N_BANDS rows of the autocorrelation of a tempogram, for a fifth of what all of it costs; None as there."""
    from scipy.fft import irfft, rfft

    n = onsets.shape[1]
    if n < _SHORTEST_S * frame_rate or not np.any(onsets):
        return None
    n_fft = _even_fast_length(2 * n)
    repeated = irfft(np.abs(rfft(onsets[:N_BANDS], n_fft, axis=1)) ** 2, n_fft, axis=1)
    return _in_shares(repeated, repeated[:, :1], n, frame_rate)


def _even_fast_length(n: int) -> int:
    from scipy.fft import next_fast_len

    half: int = next_fast_len(-(-n // 2), real=True)
    return 2 * half


def _in_shares(repeated: FloatArray, energy: FloatArray, n: int, frame_rate: float) -> FloatArray:
    """Relate the lags that are looked at to the `energy` of each row and to how much of `n` frames they leave."""
    acf = repeated[:, : min(n - 1, round(_LONGEST_LAG_S * frame_rate))]
    overlap = 1 - np.arange(acf.shape[1]) / n
    shares = np.where(energy > 0, acf / np.maximum(energy, 1e-9) / np.maximum(overlap, 0.2), 0)
    return shares.astype(np.float32)


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
    repeats, pulses = _asked_places(t.frame_rate, t.acf.shape[1], t.spectrum.shape[1])
    both = np.concatenate([repeats.values(t.acf).max(1), np.log1p(pulses.values(t.spectrum).max(1))])
    at_tempo = both.transpose(2, 0, 1).reshape(len(TEMPI_BPM), -1)
    return np.concatenate([at_tempo, _around(t)], axis=1)


@lru_cache(maxsize=2)
def _asked_places(frame_rate: float, n_lags: int, n_frequencies: int) -> tuple["Places", "Places"]:
    """Where _ASKED_BPM lie in an autocorrelation and in a spectrum; all excerpts of a recording are as long."""
    lags = 60 * frame_rate / _ASKED_BPM
    frequencies = _ASKED_BPM / 60 / frame_rate * 2 * (n_frequencies - 1)
    return Places(lags, n_lags), Places(frequencies, n_frequencies)


def _around(t: Tempogram) -> FloatArray:
    """Return what holds for all of TEMPI_BPM, or changes evenly: tempo, onsets in a beat, how clear the pulse is."""
    bpm = TEMPI_BPM[:, None]
    quick = int(_QUICKEST_S * t.frame_rate)
    clearest = t.acf[:, quick:].max(1) if t.acf.shape[1] > quick else np.zeros(len(t.acf))
    speed = np.log(bpm / 100)
    return np.concatenate([speed, speed**2, np.log(60 * t.rates / bpm + 0.1), clearest + 0 * bpm], axis=1)


class Places:
    """Fractional positions (…) in rows of `n` numbers, kept so that many rows can be read there by interpolation."""

    def __init__(self, positions: FloatArray, n: int) -> None:
        self._left = np.minimum(positions.astype(int), n - 2)
        share = (positions - self._left).astype(np.float32)
        # Beyond the last there is nothing: neither neighbour counts.
        self._of_left = np.where(share <= 1, 1 - share, np.float32(0))
        self._of_right = np.where(share <= 1, share, np.float32(0))

    def values(self, rows: FloatArray) -> FloatArray:
        """Values of `rows` (n_rows, n), 0 beyond the last: (n_rows, …)."""
        # They are within, which numpy need not check: that took as long as all else.
        values: FloatArray = np.take(rows, self._left, axis=1, mode="clip")
        values *= self._of_left
        values += np.take(rows, self._left + 1, axis=1, mode="clip") * self._of_right
        return values
