"""The nearest rows: exact, in order, lazily."""

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.recommend import order
from musrecd.recommend.similarity import mean_direction, nearest

# Cosines that differ by less than this may swap places: the search multiplies in float32.
ROUNDING = 1e-6


def unit_vectors(n: int, dim: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


SIZES = st.tuples(st.integers(0, 1500), st.integers(2, 40), st.integers(0, 10_000))


@given(SIZES)
def test_the_order_is_that_of_a_full_sort_in_double_precision(size):
    vectors = unit_vectors(*size)
    query = unit_vectors(1, size[1], size[2] + 1)[0]
    exact = vectors.astype(np.float64) @ query.astype(np.float64)
    matches = list(nearest(vectors, query))
    assert sorted(match.row for match in matches) == list(range(len(vectors)))
    found = np.array([exact[match.row] for match in matches])
    assert (np.diff(found) <= ROUNDING).all()
    np.testing.assert_allclose(found, -np.sort(-exact), atol=ROUNDING)
    np.testing.assert_allclose([match.score for match in matches], found, atol=ROUNDING)


@given(SIZES, st.integers(1, 2000))
def test_who_takes_a_few_gets_the_same_as_who_takes_all(size, n):
    vectors = unit_vectors(*size)
    query = unit_vectors(1, size[1], size[2] + 1)[0]
    assert list(islice(nearest(vectors, query), n)) == list(nearest(vectors, query))[:n]


@given(st.integers(1, 700), st.integers(0, 100))
def test_equal_rows_come_in_the_order_of_the_matrix(n, seed):
    """Copies of a few vectors only, so that every score occurs many times and on both sides of every look."""
    few = unit_vectors(3, 8, seed)
    vectors = few[np.random.default_rng(seed).integers(0, 3, n)]
    matches = list(nearest(vectors, few[0]))
    for a, b in pairwise(matches):
        assert a.score > b.score or (a.score == b.score and a.row < b.row)


@given(SIZES, st.floats(-1, 1))
def test_nothing_below_the_least_score_is_given_and_all_above_it(size, min_score):
    vectors = unit_vectors(*size)
    query = unit_vectors(1, size[1], size[2] + 1)[0]
    everything = list(nearest(vectors, query))
    assert list(nearest(vectors, query, min_score=min_score)) == [m for m in everything if m.score >= min_score]


@given(SIZES, st.sets(st.integers(-5, 1600), max_size=200))
def test_rows_that_are_left_out_are_left_out_and_no_others(size, without):
    vectors = unit_vectors(*size)
    query = unit_vectors(1, size[1], size[2] + 1)[0]
    everything = list(nearest(vectors, query))
    assert list(nearest(vectors, query, without=without)) == [m for m in everything if m.row not in without]


def test_scores_never_leave_the_range_of_a_cosine():
    vectors = np.float32(1.00001) * np.concatenate([np.eye(8), -np.eye(8)]).astype(np.float32)
    scores = [match.score for match in nearest(vectors, vectors[0])]
    assert max(scores) == 1.0
    assert min(scores) == -1.0


def test_a_seed_is_its_own_nearest():
    vectors = unit_vectors(500, 32, 7)
    for row in (0, 250, 499):
        assert next(nearest(vectors, vectors[row])).row == row


def test_an_empty_matrix_has_no_answers():
    assert list(nearest(np.empty((0, 8), np.float32), np.ones(8, np.float32))) == []


def test_who_takes_ten_does_not_pay_for_a_sort_of_everything(monkeypatch):
    looks = []
    best = order._best

    def counted(scores, candidates, n):
        looks.append(n)
        return best(scores, candidates, n)

    monkeypatch.setattr(order, "_best", counted)
    vectors = unit_vectors(20_000, 16, 8)
    assert len(list(islice(nearest(vectors, vectors[0]), 10))) == 10
    assert looks == [64]
    assert len(list(islice(nearest(vectors, vectors[0]), 100))) == 100
    assert looks[1:] == [64, 512]


def test_matches_are_plain_numbers():
    """So that they can be written as JSON."""
    match = next(nearest(unit_vectors(3, 4, 0), unit_vectors(1, 4, 1)[0]))
    assert type(match.row) is int
    assert type(match.score) is float


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(2, 40), st.integers(0, 1000))
def test_the_middle_of_several_seeds_is_a_unit_vector_between_them(n, dim, seed):
    seeds = unit_vectors(n, dim, seed)
    middle = mean_direction(seeds)
    assert middle.dtype == np.float32
    assert np.linalg.norm(middle) == pytest.approx(1, abs=1e-5)
    expected = seeds.astype(np.float64).sum(0)
    if np.linalg.norm(expected) > 1e-3:
        np.testing.assert_allclose(middle, expected / np.linalg.norm(expected), atol=1e-5)


def test_the_middle_of_one_seed_is_that_seed():
    seed = unit_vectors(1, 16, 3)
    np.testing.assert_allclose(mean_direction(seed), seed[0], atol=1e-6)


def test_opposite_seeds_have_no_middle_and_the_first_counts():
    vector = unit_vectors(1, 16, 3)[0]
    np.testing.assert_array_equal(mean_direction(np.stack([vector, -vector])), vector)
