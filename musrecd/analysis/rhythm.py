"""Tempo: how fast, how surely, what else it could be, and whether it is steady.

A small network looks at every tempo from 40 to 240 BPM alike: what repeats at it, at its fractions and its multiples,
and says how well it would do as the beat; style and speed have a say of their own, because a listener's beat
depends on them (McKinney & Moelants, Ambiguity in Tempo Perception, Music Perception 2006). Where the octave cannot
be heard from the pulse alone, that decides (Hockman & Fujinaga, Fast vs Slow, ISMIR 2010; Percival & Tzanetakis,
Streamlined Tempo Estimation, TASLP 2014). What it says is a probability, and so is the confidence. The exact tempo
comes from long lags of the autocorrelation, where a small error has added up to a large one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from musrecd.analysis.tempogram import (
    N_BANDS,
    TEMPI_BPM,
    Places,
    Tempogram,
    autocorrelation,
    evidence,
    onset_strength,
    tempogram,
)
from musrecd.types import FloatArray

SHIPPED_HEAD = Path(__file__).with_name("weights") / "rhythm.npz"

_SAME_TEMPO = 0.04
# The flanks of a peak are no other tempo.
_OTHER_TEMPO = 0.08
_MOST_CANDIDATES = 4
# How far the exact tempo may lie from the step of the grid, and how finely it is looked for.
_REFINED = np.linspace(0.97, 1.03, 121, dtype=np.float32)
_WINDOW_S = 5.0
# How far a passage may stray to be followed, and how far for the tempo to be steady all the same.
_STRAYING = np.linspace(0.75, 1.33, 117, dtype=np.float32)
_STEADY = 0.035
_STEADY_SHARE = 0.7
_PULSE_IN_WINDOW = 0.15


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tempo in BPM and the probability that it is the one people tap."""

    bpm: float
    probability: float


@dataclass(frozen=True, slots=True)
class Tempo:
    """What was heard. `confidence` is the probability of `bpm`; `candidates` are the next-best, best first.

    Of music whose tempo varies, `is_steady` is false and `bpm` is the tempo it has most of the time.
    """

    bpm: float
    confidence: float
    candidates: tuple[Candidate, ...]
    is_steady: bool


@dataclass(frozen=True, slots=True)
class TempoHead:
    """The trained numbers: a network for each tempo (`w1`, `b1`, `w2`), what is usual (`usual`), what each style adds.

    `labels` are names of the encoder's labels; `style` (n_labels, n_curves) and `curves` (n_curves, n_tempi) say what
    each of them speaks for. `mean` and `spread` standardise the evidence.
    """

    mean: FloatArray
    spread: FloatArray
    w1: FloatArray
    b1: FloatArray
    w2: FloatArray
    usual: FloatArray
    style: FloatArray
    curves: FloatArray
    labels: tuple[str, ...]

    def probabilities(self, seen: FloatArray, styles: Mapping[str, float]) -> FloatArray:
        """Probability of each of TEMPI_BPM, given the evidence (n_tempi, n_features) and label probabilities."""
        hidden = np.maximum((seen - self.mean) / self.spread @ self.w1 + self.b1, 0)
        heard = np.array([styles.get(label, 0.0) for label in self.labels], np.float32)
        logits = hidden @ self.w2 + self.usual + heard @ self.style @ self.curves
        odds = np.exp(logits - logits.max())
        shares: FloatArray = odds / odds.sum()
        return shares


@lru_cache(maxsize=1)
def load_tempo_head(path: Path = SHIPPED_HEAD) -> TempoHead:
    """Load the head that ships with musrec."""
    with np.load(path, allow_pickle=False) as arrays:
        numbers = {name: arrays[name].astype(np.float32) for name in arrays.files if name != "labels"}
        return TempoHead(**numbers, labels=tuple(map(str, arrays["labels"])))


def estimate_tempo(
    spectra: Sequence[FloatArray], frame_rate: float, styles: Mapping[str, float] | None = None
) -> Tempo | None:
    """Tempo of a recording from log-mel `spectra` in dB, each (n_mels, n_frames), of its excerpts.

    `frame_rate` is in Hz; `styles` are the encoder's label probabilities by name, where known. None of what has no
    onsets to go by: silence, a held tone, less than two seconds.
    """
    onsets = [onset_strength(S, frame_rate) for S in spectra if S.shape[1] > 1]
    tempograms = [t for t in (tempogram(excerpt, frame_rate) for excerpt in onsets) if t is not None]
    if not tempograms:
        return None
    shares = load_tempo_head().probabilities(evidence(tempograms), styles or {})
    best, *others = _candidates(shares)
    bpm = _refined(best.bpm, tempograms, _REFINED)
    return Tempo(
        bpm=bpm,
        confidence=best.probability,
        candidates=tuple(Candidate(_refined(c.bpm, tempograms, _REFINED), c.probability) for c in others),
        is_steady=_is_steady(bpm, onsets, frame_rate),
    )


def _candidates(shares: FloatArray) -> list[Candidate]:
    """Return the likeliest tempi, each with the probability of all that is as good as equal to it."""
    left = shares.astype(np.float64)
    found: list[Candidate] = []
    while len(found) < _MOST_CANDIDATES:
        centre = TEMPI_BPM[int(left.argmax())]
        away = np.abs(TEMPI_BPM / centre - 1)
        found.append(Candidate(float(centre), min(1.0, float(left[away <= _SAME_TEMPO].sum()))))
        left[away <= _OTHER_TEMPO] = 0.0
    return sorted(found, key=lambda candidate: -candidate.probability)


def _refined(bpm: float, tempograms: Sequence[Tempogram], factors: FloatArray) -> float:
    """Return the tempo near `bpm` whose multiples of the beat repeat best, over all lags the excerpts have."""
    bpms = bpm * factors
    weights = np.array([t.seconds for t in tempograms], np.float32)
    combs = [_comb(bpms, t.acf[:N_BANDS], t.frame_rate) for t in tempograms]
    strength = weights / weights.sum() @ np.stack(combs)
    top = int(strength.argmax())
    if not 0 < top < len(bpms) - 1:
        return float(bpms[top])
    before, at, after = strength[top - 1 : top + 2]
    bend = before - 2 * at + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(bpms[top] + shift * (bpms[1] - bpms[0]))


def _comb(bpms: FloatArray, acf: FloatArray, frame_rate: float) -> FloatArray:
    """Mean of an autocorrelation (N_BANDS, n_lags) at one, two, three … beats and over all bands."""
    longest_s = acf.shape[1] / frame_rate * 0.9
    n_beats = max(1, int(longest_s * float(bpms.min()) / 60))
    beats = np.arange(1, n_beats + 1, dtype=np.float32)[:, None]
    mean: FloatArray = Places(60 * frame_rate / (bpms / beats), acf.shape[1]).values(acf).mean((0, 1))
    return mean


def _is_steady(bpm: float, onsets: Sequence[FloatArray], frame_rate: float) -> bool:
    """Whether most passages with a pulse keep the tempo."""
    length = round(_WINDOW_S * frame_rate)
    windows = [
        excerpt[:, start : start + length]
        for excerpt in onsets
        for start in range(0, max(1, excerpt.shape[1] - length // 2), length)
    ]
    strays = []
    for window in windows:
        acf = autocorrelation(window, frame_rate)
        if acf is not None:
            strength = _comb(bpm * _STRAYING, acf, frame_rate)
            if strength.max() >= _PULSE_IN_WINDOW:
                strays.append(abs(_STRAYING[int(strength.argmax())] - 1) <= _STEADY)
    return bool(strays) and float(np.mean(strays)) >= _STEADY_SHARE
