"""Probes find what a straight cut can find, nothing else, and predict what an independent program predicts."""

import numpy as np
import pytest

from model_training.evaluation.probe import cross_probe, fit_and_predict


def blobs(n: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings (n, 6) around three middles, labels, artists of three clips in one class each."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(rng.integers(0, 3, n // 3), 3)
    embeddings = apart * np.eye(6)[classes] + rng.standard_normal((n, 6))
    return embeddings, np.array(["Blues", "Jazz", "Rock"])[classes], np.repeat(rng.permutation(n // 3), 3)


def test_separate_blobs_are_told_apart_and_one_blob_is_not():
    embeddings, labels, groups = blobs(180, 30)
    assert (cross_probe(embeddings, labels, groups) == labels).all()
    embeddings, labels, groups = blobs(180, 0)
    assert (cross_probe(embeddings, labels, groups) == labels).mean() < 0.5


def test_an_artist_is_never_judged_by_a_cut_that_it_placed():
    """Every artist has a corner of its own and labels by chance: knowing the artist would give all of them."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 4)
    labels = np.array(["a", "b"])[rng.integers(0, 2, 30)][groups]
    embeddings = 10 * np.eye(30)[groups]
    assert (cross_probe(embeddings, labels, groups) == labels).mean() < 0.7
    assert (cross_probe(embeddings, labels, np.arange(120)) == labels).mean() > 0.95


@pytest.mark.parametrize("apart", [1.0, 2.0])
def test_predictions_are_those_of_the_independent_program(independent, apart):
    embeddings, labels, groups = blobs(180, apart)
    embeddings = np.hstack([embeddings * np.linspace(0.1, 9, 6), np.ones((180, 1))])
    clusters = independent.clusters_of([f"artist {group}" for group in groups])
    theirs = independent.probe(embeddings[:, :6], labels, clusters)
    assert (cross_probe(embeddings, labels, groups) == theirs).all()


def test_weights_turn_the_cut_towards_what_counts():
    """Of clips that lie in the same place, the label that counts more is predicted."""
    labels = np.array(["few", "many", "many"] * 20)
    embeddings = np.random.default_rng(0).standard_normal((60, 2)) * 1e-3
    weights = np.where(labels == "few", 10.0, 1.0)
    assert set(cross_probe(embeddings, labels, np.arange(60))) == {"many"}
    assert set(cross_probe(embeddings, labels, np.arange(60), weights)) == {"few"}


def test_a_fitted_probe_predicts_others():
    embeddings, labels, groups = blobs(180, 30)
    predicted = fit_and_predict(embeddings[:120], labels[:120], groups[:120], embeddings[120:])
    assert (predicted == labels[120:]).all()
