"""Teachers' answers are translated into our labels by those clips whose labels are known, honestly."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from model_training.opinions import teacher_features, translated_opinions

N_ARTISTS, PER_ARTIST = 60, 3
N = N_ARTISTS * PER_ARTIST
GROUPS = np.repeat([f"artist:{i}" for i in range(N_ARTISTS)], PER_ARTIST)
EVERYTHING = np.ones(N, bool)


def heard(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of which the first says what the label is, with some noise; and the labels, one artist one label."""
    rng = np.random.default_rng(seed)
    truths = np.repeat(rng.permutation(np.arange(N_ARTISTS) % 2), PER_ARTIST)[:, None].astype(np.float32)
    features = rng.standard_normal((N, 12)).astype(np.float32)
    features[:, :1] += 4 * truths
    return features, truths


def test_features_are_embeddings_and_log_odds_side_by_side():
    embeddings = {"a": np.ones((2, 3), np.float32), "b": np.zeros((2, 2), np.float32)}
    probabilities = {"a": np.full((2, 1), 0.5, np.float32), "b": np.array([[0.0], [1.0]], np.float32)}
    features = teacher_features(embeddings, probabilities)
    assert features.shape == (2, 7)
    np.testing.assert_allclose(features[:, :6], [[1, 1, 1, 0, 0, 0]] * 2)
    assert np.isfinite(features).all()
    assert features[1, 6] == pytest.approx(-features[0, 6], rel=1e-3)


def test_what_the_teachers_mean_is_learned():
    features, truths = heard()
    opinions = translated_opinions(features, truths, GROUPS, EVERYTHING)
    assert roc_auc_score(truths[:, 0], opinions[:, 0]) > 0.9


def test_nobody_is_judged_by_a_model_that_learned_from_the_same_artist():
    """Features that name the artist and say nothing else give no opinion: with honest folds it is chance."""
    rng = np.random.default_rng(0)
    truths = np.repeat(rng.permutation(np.arange(N_ARTISTS) % 2), PER_ARTIST)[:, None].astype(np.float32)
    features = np.repeat(np.eye(N_ARTISTS, dtype=np.float32), PER_ARTIST, axis=0)
    opinions = translated_opinions(features, truths, GROUPS, EVERYTHING)
    assert abs(opinions[truths == 1].mean() - opinions[truths == 0].mean()) < 0.1


def test_what_is_not_for_training_teaches_nothing_and_is_judged_all_the_same():
    features, truths = heard()
    training = np.arange(N) < 120
    denied = np.where(training[:, None], truths, 1 - truths)
    opinions = translated_opinions(features, truths, GROUPS, training)
    assert np.array_equal(opinions, translated_opinions(features, denied, GROUPS, training))
    assert roc_auc_score(truths[120:, 0], opinions[120:, 0]) > 0.9


def test_what_nobody_labelled_is_judged_too():
    features, truths = heard()
    truths[100:] = np.nan
    opinions = translated_opinions(features, truths, GROUPS, EVERYTHING)
    assert not np.isnan(opinions).any()


@pytest.mark.parametrize("n_artists", [0, 1, 9])
def test_a_label_that_few_artists_have_is_left_to_others(n_artists):
    features, _ = heard()
    few = (np.arange(N) < n_artists * PER_ARTIST).astype(np.float32)[:, None]
    assert np.isnan(translated_opinions(features, few, GROUPS, EVERYTHING)).all()
    assert np.isnan(translated_opinions(features, 1 - few, GROUPS, EVERYTHING)).all()
