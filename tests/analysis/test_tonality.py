import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model_training.tonality.learn import KeyNetwork, as_weights
from musrecd.analysis.pitch import N_PITCHES, Pitches, hear_pitches
from musrecd.analysis.tonality import compressed, estimate_key, key_probabilities, network_scores, shipped_weights
from musrecd.keys import KEYS, transposed

SR = 16_000
MAJOR_CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14, 17), (0, 4, 7))
MINOR_CADENCE = ((0, 3, 7), (5, 8, 12), (7, 11, 14, 17), (0, 3, 7))
MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10, 12)


def tone(pitch: float, seconds: float, cents: float = 0.0) -> np.ndarray:
    """A plucked note with six harmonics."""
    t = np.arange(round(seconds * SR)) / SR
    hz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
    harmonics = sum(0.7**k * np.sin(2 * np.pi * k * hz * t) for k in range(1, 7))
    return (harmonics * np.exp(-t) * np.minimum(1, 100 * t)).astype(np.float32)


def cadence(key: str, cents: float = 0.0) -> np.ndarray:
    """Tonic, subdominant, dominant and tonic with a bass, and the scale over the tonic's drone."""
    tonic = 48 + KEYS.index(key) % 12
    chords, scale = (MINOR_CADENCE, MINOR_SCALE) if key.endswith("m") else (MAJOR_CADENCE, MAJOR_SCALE)
    parts = [sum(tone(tonic + 12 * (i > 0) + p, 1.0, cents) for i, p in enumerate((c[0] - 12, *c))) for c in chords]
    parts += [tone(tonic + 12 + p, 0.5, cents) + tone(tonic - 12, 0.5, cents) for p in scale]
    y = np.concatenate([*parts, *parts[:4]])
    return 0.5 * y / np.abs(y).max()


@pytest.mark.parametrize("key", KEYS)
def test_a_cadence_and_a_scale_tell_their_key(key):
    heard = estimate_key([cadence(key)], SR)
    assert heard.name == key
    assert heard.alternative in KEYS
    assert heard.alternative != key
    assert 0.3 < heard.confidence <= 1
    assert abs(heard.tuning_cents) < 5


@pytest.mark.parametrize("cents", [-45, -30, -10, 10, 30, 45])
@pytest.mark.parametrize("key", ["E", "G#m"])
def test_other_tunings_are_found_and_do_no_harm(key, cents):
    heard = estimate_key([cadence(key, cents)], SR)
    assert heard.name == key
    assert heard.tuning_cents == pytest.approx(cents, abs=5)


@pytest.mark.parametrize("key", ["F", "Bm"])
def test_drums_and_distortion_do_not_hide_the_key(key):
    rng = np.random.default_rng(0)
    y = np.tanh(4 * cadence(key))
    hits = np.zeros_like(y)
    hits[:: SR // 2] = 1
    noise = np.convolve(hits, rng.normal(0, 1, 2000) * np.exp(-np.arange(2000) / 400))[: y.size]
    assert estimate_key([(0.5 * y + 0.5 * noise).astype(np.float32)], SR).name == key


def test_excerpts_are_one_recording():
    y = cadence("D")
    assert estimate_key(np.split(y, [y.size // 3, y.size // 2]), SR).name == "D"
    assert estimate_key([np.zeros(SR, np.float32), y, np.zeros(0, np.float32)], SR) == estimate_key([y], SR)


@pytest.mark.parametrize("level", [1e-3, 1.4])
def test_loudness_does_not_matter(level):
    expected = estimate_key([cadence("A#m")], SR)
    heard = estimate_key([level * cadence("A#m")], SR)
    assert (heard.name, heard.tuning_cents) == (expected.name, pytest.approx(expected.tuning_cents, abs=0.1))


@pytest.mark.parametrize("n", [0, 1, 100, 10 * SR])
def test_silence_has_no_key(n):
    assert estimate_key([np.zeros(n, np.float32)], SR) is None
    assert estimate_key([np.full(n, 5e-5, np.float32)], SR) is None
    assert estimate_key([], SR) is None


def test_noise_has_a_key_of_which_nobody_is_sure():
    y = np.random.default_rng(1).normal(0, 0.1, 20 * SR).astype(np.float32)
    heard = estimate_key([y], SR)
    assert heard.tuning_cents == 0
    assert heard.confidence < 0.6


@pytest.mark.parametrize("seconds", [0.01, 0.3, 0.6])
def test_very_short_sounds_are_no_accident(seconds):
    heard = estimate_key([tone(69, seconds)], SR)
    assert heard is None or np.isfinite([heard.confidence, heard.tuning_cents]).all()


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (8, 48), elements=st.floats(0, 10, width=32)), st.integers(-11, 11))
def test_the_network_is_the_same_for_all_transpositions(middle, shift):
    """Within an octave's notes only: what moves to another octave is another sound."""
    rng = np.random.default_rng(0)
    magnitudes = np.zeros((8, N_PITCHES), np.float32)
    magnitudes[:, 12:60] = middle + rng.uniform(0.1, 0.2, middle.shape)
    octaves = magnitudes.reshape(8, -1, 12)
    rotated = np.roll(octaves, shift, axis=2).reshape(8, N_PITCHES)
    before = key_probabilities(Pitches(magnitudes, 0.0), shipped_weights(), begins=True)
    after = key_probabilities(Pitches(rotated, 0.0), shipped_weights(), begins=True)
    expected = [after[KEYS.index(transposed(key, shift))] for key in KEYS]
    np.testing.assert_allclose(before, expected, atol=1e-4)
    assert before.sum() == pytest.approx(1, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(arrays(np.float32, (3, 4000), elements=st.floats(-1, 1, width=32)))
def test_nothing_makes_it_say_nan(noise):
    heard = estimate_key(list(noise), SR)
    assert heard is None or (0 <= heard.confidence <= 1 and -50 <= heard.tuning_cents <= 50)


def test_pitches_are_found_where_they_are():
    magnitudes = hear_pitches([tone(57, 2.0)], SR).magnitudes.mean(axis=0)
    harmonics = [57, 69, 76, 81, 85, 88]
    assert set(np.argsort(magnitudes)[-6:] + 24) == set(harmonics)


@pytest.mark.parametrize("begins", [True, False])
def test_the_network_that_learns_is_the_one_that_serves(begins):
    torch.manual_seed(0)
    network = KeyNetwork().eval()
    loudness = compressed(np.random.default_rng(0).uniform(0, 1, (30, N_PITCHES)).astype(np.float32))
    with torch.inference_mode():
        logits = network(torch.from_numpy(loudness)[None], torch.ones(1, 30), torch.tensor([float(begins)]))[0]
    expected = torch.log_softmax(logits, 0).numpy()
    np.testing.assert_allclose(network_scores(loudness, as_weights(network), begins=begins), expected, atol=1e-4)


def test_a_minute_takes_little_time():
    ys = [np.tile(cadence("C"), 2)[: 10 * SR]] * 6
    estimate_key(ys, SR)
    began = time.process_time()
    estimate_key(ys, SR)
    assert time.process_time() - began < 0.25
