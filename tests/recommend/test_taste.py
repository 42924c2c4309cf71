"""What is liked: favoured genres stand out from what is usual, and several tastes are not averaged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musrecd.recommend.taste import by_genre, by_sound, favourites, ranked, usual_shares

N_GENRES = 5
JAZZ, METAL, POP = 0, 1, 2


def probabilities(n_most: int):
    """Arrays (n, N_GENRES) of probabilities."""
    numbers = st.floats(0, 1, width=32)
    return st.integers(1, n_most).flatmap(lambda n: arrays(np.float32, (n, N_GENRES), elements=numbers))


def units(n: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_genre_that_is_liked_more_than_usual_is_favoured_and_says_why():
    usual = np.array([0.1, 0.06, 0.5, 0.02, 0.02], np.float32)
    liked = np.full((10, N_GENRES), 0.05, np.float32)
    liked[:7, METAL] = [0.81, 0.9, 0.7, 0.99, 0.6, 0.85, 0.75]
    liked[:5, POP] = 0.9
    first, *others = favourites(liked, usual)
    assert (first.column, first.is_favoured, first.weight) == (METAL, True, 1.0)
    assert first.tracks == (3, 1, 5, 0, 6, 2, 4)
    assert first.share == pytest.approx(float(liked[:, METAL].mean()))
    assert [(each.column, each.is_favoured) for each in others] == [(POP, False)]


@given(probabilities(12), probabilities(30))
def test_weights_are_shares_of_the_greatest_and_the_favoured_come_first(liked, everything):
    found = favourites(liked, usual_shares(everything))
    assert found
    assert all(0 <= each.weight <= 1 for each in found)
    assert [each.is_favoured for each in found] == sorted((each.is_favoured for each in found), reverse=True)
    for each in found:
        assert 0 <= each.share <= 1
        assert all(liked[place, each.column] >= 0.5 for place in each.tracks)
        assert not each.is_favoured or each.share > each.usual


@given(probabilities(12), probabilities(30), st.randoms(use_true_random=False))
def test_the_order_of_the_liked_tracks_does_not_matter(liked, everything, random):
    order = list(range(len(liked)))
    random.shuffle(order)
    usual = usual_shares(everything)
    before, after = favourites(liked, usual), favourites(liked[order], usual)
    assert {each.column: each.is_favoured for each in before} == {each.column: each.is_favoured for each in after}
    weights = {each.column: each.weight for each in before}
    assert {each.column: pytest.approx(each.weight, abs=1e-5) for each in after} == weights


def test_one_track_is_no_evidence_but_all_there_is_to_go_by():
    usual = np.full(N_GENRES, 0.1, np.float32)
    liked = np.array([[0.9, 0.1, 0.1, 0.1, 0.1]], np.float32)
    (only,) = favourites(liked, usual)
    assert (only.column, only.is_favoured, only.tracks) == (JAZZ, False, (0,))


def test_tracks_that_are_as_usual_are_ranked_all_the_same():
    liked = np.full((3, N_GENRES), 0.2, np.float32)
    found = favourites(liked, np.full(N_GENRES, 0.2, np.float32))
    assert len(found) == 3
    assert not any(each.is_favoured for each in found)


@given(probabilities(8), probabilities(20), probabilities(20), st.integers(0, N_GENRES - 1))
def test_more_of_a_liked_genre_is_never_worse(liked, everything, candidates, column):
    found = favourites(liked, usual_shares(everything))
    scores = by_genre(candidates, found)
    assert ((scores >= -1e-6) & (scores <= 1 + 1e-6)).all()
    more = candidates.copy()
    more[:, column] = np.minimum(1, more[:, column] + np.float32(0.1))
    assert (by_genre(more, found) >= scores - 1e-6).all()


def test_of_two_tastes_each_is_near_and_what_lies_between_is_not():
    first, second = np.eye(8, dtype=np.float32)[:2]
    between = (first + second) / np.sqrt(2)
    tilted = 0.95 * first + np.sqrt(1 - 0.95**2) * np.eye(8, dtype=np.float32)[4]
    scores = by_sound(np.stack([tilted, between]).astype(np.float32), np.stack([first] * 3 + [second] * 3))
    assert scores[0] > scores[1]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 100))
def test_nearness_lies_between_that_to_the_mean_and_that_to_the_nearest(n_liked, n_candidates, seed):
    liked, candidates = units(n_liked, seed=seed), units(n_candidates, seed=seed + 1)
    closeness = candidates @ liked.T
    scores = by_sound(candidates, liked)
    assert (scores >= closeness.mean(axis=1) - 1e-5).all()
    assert (scores <= closeness.max(axis=1) + 1e-5).all()
    np.testing.assert_allclose(scores, by_sound(candidates, np.concatenate([liked, liked])), atol=1e-5)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_ranking_is_by_falling_score_and_leaves_equals_as_they_came(scores):
    order = ranked(np.array(scores, np.float32))
    values = [np.float32(scores[i]) for i in order]
    assert values == sorted(values, reverse=True)
    assert all(a < b for a, b, x, y in zip(order, order[1:], values, values[1:], strict=False) if x == y)
