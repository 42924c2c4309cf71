"""Tempo and key: half and double time, the wheel, and what is not known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.keys import KEYS, are_compatible
from musrecd.recommend.mixing import deviation, key_values, keys_allowed, ratio_to, tempo_values

BPM = st.floats(30, 300, width=32)


@pytest.mark.parametrize(
    ("bpm", "ratio", "factor"),
    [(120, 1, 1), (60, 1, 0.5), (240, 1, 2), (126, 1.05, 1), (63, 1.05, 0.5), (228, 0.95, 2), (30, 0.5, 0.5)],
)
def test_half_and_double_time_are_taken_out_first(bpm, ratio, factor):
    found = ratio_to(np.array([bpm], np.float32), 120)
    assert found[0][0] == pytest.approx(ratio)
    assert found[1][0] == factor


@given(BPM, BPM)
def test_the_deviation_is_the_least_of_the_three(bpm, seed):
    expected = min(abs(bpm / (factor * seed) - 1) for factor in (0.5, 1, 2))
    assert deviation(np.array([bpm], np.float32), [seed])[0] == pytest.approx(expected, abs=1e-5)


@given(BPM, BPM, BPM)
def test_of_several_seeds_the_nearest_counts(bpm, first, second):
    row = np.array([bpm], np.float32)
    assert deviation(row, [first, second])[0] == min(deviation(row, [first])[0], deviation(row, [second])[0])
    assert tempo_values(row, [first, second])[0] == max(tempo_values(row, [first])[0], tempo_values(row, [second])[0])


def test_tempo_speaks_less_the_further_it_is_off():
    values = tempo_values(np.array([120, 126, 132.1, 240, 60, np.nan, 0], np.float32), [120])
    np.testing.assert_allclose(values, [1, 0.5, 0, 0.9, 0.9, np.nan, np.nan], atol=1e-5)


def test_who_has_no_tempo_is_as_far_as_nothing():
    assert np.isnan(deviation(np.array([np.nan, 0, -1], np.float32), [120])).all()


@pytest.mark.parametrize(
    ("key", "value"), [("Am", 1), ("C", 0.9), ("Em", 0.8), ("Dm", 0.8), ("A#m", 0.5), ("Bm", 0.5), ("A", 0), ("F#", 0)]
)
def test_keys_speak_by_their_relation(key, value):
    assert key_values(np.array([KEYS.index(key)], np.int8), ["Am"])[0] == pytest.approx(value)


@given(st.sampled_from(KEYS), st.sampled_from(KEYS))
def test_rules_of_keys_widen(seed, key):
    row = np.array([KEYS.index(key)], np.int8)
    same, compatible, energy = (bool(keys_allowed(rule, row, [seed])[0]) for rule in ("same", "compatible", "energy"))
    assert same == (seed == key)
    assert compatible == are_compatible(seed, key)
    assert same <= compatible <= energy


def test_who_has_no_key_fits_none():
    no_key = np.array([-1], np.int8)
    assert not keys_allowed("energy", no_key, KEYS)[0]
    assert np.isnan(key_values(no_key, KEYS)[0])
