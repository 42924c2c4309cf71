"""Paths between two tracks and sets that flow."""

import time
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.keys import KEYS
from musrecd.recommend import sequence
from musrecd.recommend.sequence import flow, path, step_costs


def unit_vectors(n: int, dim: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def jumps(vectors: np.ndarray, rows: list[int]) -> np.ndarray:
    """Angles of all steps in radians."""
    cosines = (vectors[rows[:-1]] * vectors[rows[1:]]).sum(axis=1)
    return np.arccos(np.clip(cosines, -1, 1))


def straight(vectors: np.ndarray, start: int, end: int, n_steps: int) -> list[int]:
    """Take the nearest unused row of each point on the great circle: what a path has to beat."""
    rows = [start]
    for point in sequence._great_circle(vectors[start], vectors[end], n_steps - 1):
        order = np.argsort(-(vectors @ point))
        rows.append(next(int(row) for row in order if row not in (*rows, end)))
    return [*rows, end]


@given(st.integers(2, 60), st.integers(2, 12), st.integers(1, 80), st.integers(0, 10_000))
def test_a_path_has_its_ends_and_its_steps_and_nothing_twice(n, dim, n_steps, seed):
    vectors = unit_vectors(n, dim, seed)
    start, end = np.random.default_rng(seed).choice(n, 2, replace=False)
    rows = path(vectors, int(start), int(end), n_steps)
    assert (rows[0], rows[-1]) == (start, end)
    assert len(set(rows)) == len(rows) == min(n_steps, n - 1) + 1
    assert all(type(row) is int for row in rows)


@given(st.integers(2, 60), st.integers(1, 30), st.integers(0, 10_000))
def test_only_candidates_are_on_the_way(n, n_steps, seed):
    vectors = unit_vectors(n, 6, seed)
    candidates = np.random.default_rng(seed).random(n) < 0.5
    kept = candidates.copy()
    rows = path(vectors, 0, n - 1, n_steps, candidates)
    assert candidates[rows[1:-1]].all()
    assert len(rows) == min(n_steps - 1, int(candidates[1 : n - 1].sum())) + 2
    np.testing.assert_array_equal(candidates, kept)


def test_an_even_way_that_is_there_is_taken():
    """Rows on the great circle itself, among a thousand others."""
    t = np.linspace(0, 1, 7)[:, None] * np.pi / 3
    way = np.concatenate([np.cos(t), np.sin(t), np.zeros((7, 14))], axis=1).astype(np.float32)
    vectors = np.concatenate([way, unit_vectors(1000, 16, 0)])
    assert path(vectors, 0, 6, 6) == list(range(7))


def test_the_largest_jump_is_smaller_than_that_of_the_nearest_to_the_straight_way():
    """Clusters with space between them, where the straight way meets lonely rows."""
    rng = np.random.default_rng(3)
    middles = unit_vectors(30, 24, 4)
    vectors = middles[rng.integers(0, 30, 1500)] + 0.15 * rng.standard_normal((1500, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [rng.choice(1500, 2, replace=False) for _ in range(40)]
    ours = [jumps(vectors, path(vectors, int(a), int(b), 8)).max() for a, b in pairs]
    theirs = [jumps(vectors, straight(vectors, int(a), int(b), 8)).max() for a, b in pairs]
    assert np.mean(ours) < 0.9 * np.mean(theirs)
    assert np.mean(np.array(ours) <= np.array(theirs) + 1e-6) > 0.9


@pytest.mark.parametrize("cosine", [1.0, -1.0])
def test_ends_in_the_same_or_in_opposite_places_have_a_path_too(cosine):
    vectors = unit_vectors(50, 8, 5)
    vectors[1] = cosine * vectors[0]
    rows = path(vectors, 0, 1, 6)
    assert len(set(rows)) == 7


@pytest.mark.parametrize(("start", "end", "n_steps"), [(3, 3, 5), (0, 1, 0), (0, 1, -2)])
def test_what_is_no_path_is_refused(start, end, n_steps):
    with pytest.raises(ValueError, match="path"):
        path(unit_vectors(10, 4, 0), start, end, n_steps)


def costs(bpm: list[float], key: list[str | None]) -> np.ndarray:
    """Costs between rows that sound alike."""
    vectors = np.tile(unit_vectors(1, 8, 0), (len(bpm), 1))
    keys = np.array([-1 if name is None else KEYS.index(name) for name in key], np.int8)
    return step_costs(vectors, np.array(bpm, np.float32), keys)


def test_the_better_tempo_mixes_the_less_it_costs():
    cost = costs([120, 121, 122, 126, 140, 60, 241, np.nan], ["C"] * 8)[0]
    assert cost[0] == pytest.approx(0, abs=1e-6)
    assert costs([120, 127.2], ["C"] * 2)[0, 1] == pytest.approx(sequence.TEMPO / 2, abs=1e-3)
    assert list(np.argsort(cost)) == [0, 1, 2, 5, 6, 3, 7, 4]
    np.testing.assert_allclose(costs([120, 60], ["C", "C"])[0, 1], costs([60, 120], ["C", "C"])[0, 1])


def test_the_better_keys_mix_the_less_they_cost():
    names = ["C", "Am", "G", "D", "F#", None]
    cost = costs([120] * 6, names)[0]
    assert list(np.argsort(cost[:4])) == [0, 1, 2, 3]
    assert cost[4] == pytest.approx(sequence.KEY)
    assert cost[5] == pytest.approx(sequence.KEY / 2)
    lift = costs([120, 120], ["C", "D"])
    assert lift[0, 1] < lift[1, 0], "up it lifts, down it clashes"


@given(st.integers(1, 30), st.integers(0, 10_000))
def test_costs_are_finite_and_within_what_is_said(n, seed):
    rng = np.random.default_rng(seed)
    bpm = np.where(rng.random(n) < 0.3, np.nan, rng.uniform(30, 300, n)).astype(np.float32)
    cost = step_costs(unit_vectors(n, 6, seed), bpm, rng.integers(-1, 24, n).astype(np.int8))
    assert cost.shape == (n, n)
    assert (cost >= 0).all()
    assert (cost <= sequence.SOUND + sequence.TEMPO + sequence.KEY + 1e-6).all()


@settings(max_examples=20)
@given(st.integers(1, 6), st.integers(0, 10_000))
def test_a_short_set_is_the_best_there_is(n, seed):
    rng = np.random.default_rng(seed)
    vectors, rows = unit_vectors(20, 6, seed), rng.choice(20, n, replace=False)
    bpm, key = rng.uniform(80, 160, 20).astype(np.float32), rng.integers(-1, 24, 20).astype(np.int8)
    order = flow(vectors, bpm, key, rows, start=int(rows[0]))
    cost = step_costs(vectors, bpm, key)
    best = min(sum(cost[a, b] for a, b in pairwise((rows[0], *rest))) for rest in permutations(rows[1:]))
    assert order[0] == rows[0]
    assert sorted(order) == sorted(rows.tolist())
    assert sum(cost[a, b] for a, b in pairwise(order)) == pytest.approx(best, rel=1e-5)


def test_a_set_climbs_through_the_tempos():
    bpm = np.linspace(100, 150, 26).astype(np.float32)
    shuffled = np.random.default_rng(1).permutation(26)
    vectors = np.tile(unit_vectors(1, 8, 0), (26, 1))
    order = flow(vectors, bpm, np.zeros(26, np.int8), shuffled, start=0)
    assert order == list(range(26))


def test_who_begins_elsewhere_is_told():
    with pytest.raises(ValueError, match="3"):
        flow(unit_vectors(5, 4, 0), np.full(5, np.nan, np.float32), np.full(5, -1, np.int8), [0, 1], start=3)


def test_nothing_flows_into_nothing():
    assert flow(unit_vectors(5, 4, 0), np.full(5, np.nan, np.float32), np.full(5, -1, np.int8), []) == []


def test_five_hundred_tracks_take_less_than_a_second():
    rng = np.random.default_rng(2)
    bpm, key = rng.uniform(80, 160, 500).astype(np.float32), rng.integers(-1, 24, 500).astype(np.int8)
    began = time.process_time()
    assert len(set(flow(unit_vectors(500, 128, 2), bpm, key, np.arange(500)))) == 500
    assert time.process_time() - began < 1
