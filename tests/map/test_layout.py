"""Positions: neighbours stay together, the same vectors lie in the same places, no input is too odd."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness

from musrecd.map.layout import among, lay_out, peak


def share_of_own_island(positions: np.ndarray, island: np.ndarray) -> float:
    """How many of the nearest neighbours on the map are of the same island."""
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((island[distances.argmin(1)] == island).mean())


def test_what_sounds_alike_lies_together(many):
    vectors, island = many
    positions = lay_out(vectors)
    assert positions.shape == (len(vectors), 2)
    assert trustworthiness(vectors, positions, n_neighbors=10) > 0.9
    assert share_of_own_island(positions, island) > 0.95


def test_the_rest_of_a_large_library_is_put_among_its_sample(many):
    vectors, island = many
    positions = lay_out(vectors, sample=150)
    assert share_of_own_island(positions, island) > 0.95
    assert len(np.unique(positions, axis=0)) == len(vectors)


def test_the_same_library_gives_the_same_map(many):
    vectors = many[0][:120]
    for sample in (len(vectors), 50):
        np.testing.assert_array_equal(lay_out(vectors, sample=sample), lay_out(vectors, sample=sample))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9, 10, 11, 31])
def test_few_tracks_have_places_too(many, n):
    positions = lay_out(many[0][:n])
    assert positions.shape == (n, 2)
    assert np.isfinite(positions).all()
    assert np.abs(positions).max() <= 1 + 1e-6


def test_copies_of_one_track_are_no_problem(many):
    positions = lay_out(np.repeat(many[0][:1], 20, axis=0))
    assert np.isfinite(positions).all()
    mostly = lay_out(np.concatenate([np.repeat(many[0][:1], 20, axis=0), many[0][1:3]]))
    assert np.isfinite(mostly).all()


def test_a_track_is_placed_beside_what_it_sounds_like_and_not_between(many):
    vectors, island = many
    positions = lay_out(vectors)
    placed = among(vectors[island == 2] * 1.0, vectors, positions)
    home = positions[island == 2]
    assert np.abs(placed - np.median(home, axis=0)).max() < np.abs(home - np.median(home, axis=0)).max() + 0.1


@given(st.integers(1, 60), st.integers(0, 10), st.floats(0.001, 100))
def test_a_name_stands_among_its_points(n, seed, scale):
    points = (scale * np.random.default_rng(seed).normal(size=(n, 2))).astype(np.float32)
    at = peak(points)
    assert (points.min(axis=0) - 1e-5 <= at).all()
    assert (at <= points.max(axis=0) + 1e-5).all()
