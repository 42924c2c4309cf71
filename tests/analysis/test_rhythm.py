"""Tempo, on clicks, on rendered music and on what has none."""

import time
from collections.abc import Callable

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_training.synthesis import compose, render
from musrecd.analysis.frontend import FrontendConfig, chunks, log_mel
from musrecd.analysis.rhythm import Tempo, estimate_tempo, load_tempo_head
from musrecd.analysis.tempogram import (
    N_BANDS,
    N_ROWS,
    TEMPI_BPM,
    Places,
    Tempogram,
    autocorrelation,
    onset_strength,
    tempogram,
)
from musrecd.types import FloatArray

CONFIG = FrontendConfig()
FRAME_RATE = CONFIG.sr / CONFIG.hop_length
FILTERS = librosa.filters.mel(sr=CONFIG.sr, n_fft=CONFIG.n_fft, n_mels=CONFIG.n_mels)

Hear = Callable[..., Tempo | None]


def spectra(y: np.ndarray) -> list[np.ndarray]:
    return [log_mel(chunk, CONFIG, FILTERS) for chunk in chunks(y, CONFIG)]


def heard(y: np.ndarray, styles: dict[str, float] | None = None) -> Tempo | None:
    return estimate_tempo(spectra(y), FRAME_RATE, styles)


def clicks(times_s: np.ndarray, seconds: float) -> np.ndarray:
    """Short bursts of noise, with a hum under them."""
    rng = np.random.default_rng(0)
    n = round(seconds * CONFIG.sr)
    y = 0.01 * np.sin(2 * np.pi * 110 * np.arange(n) / CONFIG.sr)
    burst = rng.standard_normal(400) * np.exp(-np.arange(400) / 80)
    for start in (times_s * CONFIG.sr).astype(int):
        room = y[start : start + len(burst)]
        room += 0.3 * burst[: len(room)]
    return y.astype(np.float32)


def steady(bpm: float, seconds: float) -> np.ndarray:
    return clicks(np.arange(0.1, seconds, 60 / bpm), seconds)


def is_octave_of(bpm: float, truth: float, tolerance: float) -> bool:
    return any(abs(bpm / (truth * factor) - 1) <= tolerance for factor in (1 / 3, 1 / 2, 1, 2, 3))


@pytest.mark.parametrize("bpm", [72.0, 90.5, 101.3, 120.0, 133.7])
def test_clicks_are_counted_exactly(bpm: float) -> None:
    tempo = heard(steady(bpm, 20.0))
    assert tempo is not None
    # Clicks alone have no octave: any that people would tap is right, and must be exact.
    assert is_octave_of(tempo.bpm, bpm, 0.005)
    assert tempo.is_steady


@settings(max_examples=12)
@given(bpm=st.floats(55, 215), seconds=st.floats(8, 22))
def test_any_tempo_of_clicks_is_found_or_its_octave(bpm: float, seconds: float) -> None:
    tempo = heard(steady(bpm, seconds))
    assert tempo is not None
    assert is_octave_of(tempo.bpm, bpm, 0.01)


@pytest.mark.parametrize(
    ("style", "seed"),
    [("techno", 11), ("house", 12), ("hip_hop", 13), ("hard_rock", 14), ("bossa_nova", 15), ("chiptune", 16)],
)
def test_rendered_music_is_within_one_percent(style: str, seed: int) -> None:
    piece = compose(style, 900_000 + seed, 24.0)
    tempo = heard(render(piece, CONFIG.sr))
    assert tempo is not None
    assert tempo.bpm == pytest.approx(piece.tempo_bpm, rel=0.01)
    assert tempo.confidence > 0.4
    assert tempo.is_steady


@pytest.mark.parametrize("style", ["reggae", "folk_guitar", "swing_jazz", "piano_waltz"])
def test_where_the_octave_is_open_the_true_tempo_is_a_candidate(style: str) -> None:
    piece = compose(style, 900_020, 24.0)
    tempo = heard(render(piece, CONFIG.sr))
    assert tempo is not None
    known = [tempo.bpm, *(candidate.bpm for candidate in tempo.candidates)]
    assert any(bpm == pytest.approx(piece.tempo_bpm, rel=0.01) for bpm in known)


def test_half_or_double_is_among_the_candidates() -> None:
    tempo = heard(steady(100.0, 20.0))
    assert tempo is not None
    known = [tempo.bpm, *(candidate.bpm for candidate in tempo.candidates)]
    assert sum(is_octave_of(bpm, 100.0, 0.02) for bpm in known) >= 2


def test_probabilities_are_ordered_and_add_up_to_one_at_most() -> None:
    tempo = heard(steady(100.0, 20.0))
    assert tempo is not None
    probabilities = [tempo.confidence, *(candidate.probability for candidate in tempo.candidates)]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1.0001


def test_style_has_a_say_where_the_octave_is_open() -> None:
    """What the style adds moves probability, and none of it makes another tempo than the pulse has."""
    head = load_tempo_head()
    plain = np.zeros((len(TEMPI_BPM), len(head.mean)), np.float32) + head.mean
    without, with_style = (
        head.probabilities(plain, {}),
        head.probabilities(plain, {head.labels[0]: 1.0, "No such": 1.0}),
    )
    assert without.sum() == pytest.approx(1, abs=1e-5)
    assert with_style.sum() == pytest.approx(1, abs=1e-5)
    assert any(not np.allclose(without, head.probabilities(plain, {label: 1.0})) for label in head.labels)


def test_a_tempo_that_varies_is_called_so() -> None:
    bpms = np.linspace(80, 140, 200)
    times_s = 0.1 + np.cumsum(60 / bpms)
    tempo = heard(clicks(times_s[times_s < 59], 60.0))
    assert tempo is not None
    assert not tempo.is_steady


@pytest.mark.parametrize(
    "y",
    [
        np.zeros(160_000),
        np.full(160_000, 0.3),
        0.3 * np.sin(2 * np.pi * 440 * np.arange(160_000) / 16_000),
        np.zeros(0),
        np.zeros(100),
    ],
    ids=["silence", "constant", "tone", "nothing", "a moment"],
)
def test_without_onsets_there_is_no_tempo_or_no_confidence(y: np.ndarray) -> None:
    tempo = heard(y.astype(np.float32))
    assert tempo is None or tempo.confidence < 0.5


def test_noise_is_not_trusted() -> None:
    rng = np.random.default_rng(5)
    tempo = heard((0.2 * rng.standard_normal(320_000)).astype(np.float32))
    assert tempo is None or tempo.confidence < 0.5


def test_too_short_or_empty_spectra_have_no_tempo() -> None:
    assert estimate_tempo([], FRAME_RATE) is None
    assert estimate_tempo([np.zeros((96, 1), np.float32)], FRAME_RATE) is None
    assert estimate_tempo([np.random.default_rng(0).normal(-40, 9, (96, 40)).astype(np.float32)], FRAME_RATE) is None


@given(
    n_frames=st.integers(2, 700),
    seed=st.integers(0, 10**6),
    level=st.floats(-100, 40),
    spread=st.floats(0, 60),
)
def test_whatever_comes_in_nothing_but_numbers_comes_out(n_frames: int, seed: int, level: float, spread: float) -> None:
    S = np.random.default_rng(seed).normal(level, spread, (96, n_frames)).astype(np.float32)
    tempo = estimate_tempo([S], FRAME_RATE, {"Rock": 0.5})
    if tempo is not None:
        numbers = [tempo.bpm, tempo.confidence]
        numbers += [value for candidate in tempo.candidates for value in (candidate.bpm, candidate.probability)]
        assert np.isfinite(numbers).all()
        assert 35 < tempo.bpm < 260
        assert 0 <= tempo.confidence <= 1


def test_loudness_makes_no_difference() -> None:
    y = render(compose("house", 900_001, 15.0), CONFIG.sr)
    loud, soft = heard(y), heard(0.05 * y)
    assert loud is not None
    assert soft is not None
    assert loud.bpm == pytest.approx(soft.bpm, rel=0.002)


def test_the_same_music_faster_is_faster() -> None:
    """A frame rate ten percent higher is the same music played faster."""
    S = spectra(render(compose("techno", 900_002, 20.0), CONFIG.sr))
    plain, faster = estimate_tempo(S, FRAME_RATE), estimate_tempo(S, 1.05 * FRAME_RATE)
    assert plain is not None
    assert faster is not None
    assert faster.bpm / plain.bpm == pytest.approx(1.05, rel=0.003)


def repeats_at(t: Tempogram, bpm: FloatArray) -> FloatArray:
    """Autocorrelation (N_ROWS, …) at the period of `bpm` (…)."""
    return Places(60 * t.frame_rate / bpm, t.acf.shape[1]).values(t.acf)


def test_a_tempogram_shows_the_period() -> None:
    (S,) = spectra(steady(120.0, 10.0))
    t = tempogram(onset_strength(S, FRAME_RATE), FRAME_RATE)
    assert t is not None
    assert np.all(repeats_at(t, np.array([120.0]))[:N_BANDS] > 0.5)
    assert np.all(repeats_at(t, np.array([97.0]))[:N_BANDS] < 0.2)
    # Longer than the excerpt: unknown, which counts as nothing.
    assert np.all(repeats_at(t, np.array([1.0])) == 0)


def test_the_short_way_to_the_autocorrelation_gives_that_of_the_tempogram() -> None:
    (S,) = spectra(steady(97.0, 10.0))
    onsets = onset_strength(S, FRAME_RATE)
    for n in (onsets.shape[1], 312, 101):
        t, acf = tempogram(onsets[:, :n], FRAME_RATE), autocorrelation(onsets[:, :n], FRAME_RATE)
        assert t is not None
        assert acf is not None
        np.testing.assert_allclose(acf, t.acf[:N_BANDS], atol=1e-5)
    assert autocorrelation(onsets[:, :50], FRAME_RATE) is None
    assert autocorrelation(np.zeros_like(onsets), FRAME_RATE) is None


def test_onsets_are_those_of_a_plain_reference() -> None:
    """As Böck and Widmer describe them, with the filters and means that SciPy and NumPy have."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

    (S,) = spectra(render(compose("techno", 900_003, 10.0), CONFIG.sr))
    S = np.maximum(S, S.max() - 60)
    rise = np.maximum(S[:, 1:] - maximum_filter1d(S[:, :-1], 3, axis=0), 0)
    bands = np.stack([rise[low:high].mean(0) for low, high in ((0, 6), (6, 20), (20, 48), (48, 96), (0, 4), (4, 8))])
    expected = np.sqrt(np.maximum(gaussian_filter1d(bands, 1.0, axis=1), 0))
    expected -= uniform_filter1d(expected, round(0.8 * FRAME_RATE), axis=1)
    np.testing.assert_allclose(onset_strength(S, FRAME_RATE)[: N_BANDS + 2], expected, atol=1e-4)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=20), st.integers(2, 20))
def test_values_between_lags_are_interpolated_and_beyond_the_last_there_are_none(positions, n) -> None:
    at = np.array(positions)
    rows = np.random.default_rng(0).standard_normal((3, n)).astype(np.float32)
    expected = [np.where(at <= n - 1, np.interp(at, np.arange(n), row), 0) for row in rows]
    np.testing.assert_allclose(Places(at, n).values(rows), expected, atol=1e-5)


def test_drums_that_take_turns_are_seen_to() -> None:
    """Low strokes and high ones by turns, a beat apart: alone each repeats after two beats, together after one."""
    S = np.full((96, 625), -80.0, np.float32)
    beat = 32
    for number, frame in enumerate(range(10, 620, beat)):
        S[:6, frame : frame + 3] = -10.0 if number % 2 == 0 else -80.0
        S[24:44, frame : frame + 3] = -10.0 if number % 2 else -80.0
    t = tempogram(onset_strength(S, FRAME_RATE), FRAME_RATE)
    assert t is not None
    one_beat, two_beats = repeats_at(t, 60 * FRAME_RATE / (beat * np.array([1.0, 2.0]))).T
    assert len(one_beat) == N_ROWS
    assert np.all(two_beats[[0, 2]] > one_beat[[0, 2]] + 0.5)
    turns = N_BANDS + 2
    assert one_beat[turns] > two_beats[turns] + 0.5


def test_it_costs_little() -> None:
    S = spectra(steady(120.0, 60.0))
    assert len(S) == 6
    estimate_tempo(S, FRAME_RATE)
    cpu_s = []
    for _ in range(5):
        start = time.process_time()
        estimate_tempo(S, FRAME_RATE)
        cpu_s.append(time.process_time() - start)
    # 0.03 s measured; the bound is for tempo's share of what hearing may cost.
    assert min(cpu_s) < 0.08
