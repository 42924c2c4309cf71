"""First genres are judged by what data sets know, and thresholds are not chosen where they are measured."""

import numpy as np
import pytest

from model_training.evaluation.first_genre import (
    FirstGenres,
    choose_threshold,
    cross_fitted,
    judge,
    measure_calibration,
)
from model_training.labels import LABELS
from tests.model_training.evaluation.conftest import make_clip

NAMES = [source.label.name for source in LABELS]


@pytest.mark.parametrize(
    ("name", "source", "genres", "expected"),
    [
        ("Jazz", "taffc", ("Jazz", "Pop/Rock"), 1.0),
        ("Jazz", "taffc", ("Pop/Rock",), 0.0),
        ("Rock", "taffc", ("Pop/Rock",), 1.0),
        ("Pop", "taffc", ("Pop/Rock", "Jazz"), 1.0),
        ("Rock", "taffc", ("Jazz",), 0.0),
        ("Metal", "taffc", ("Pop/Rock",), None),
        ("Metal", "taffc", ("Jazz",), 0.0),
        ("House", "taffc", ("Electronic",), None),
        ("Rock", "gtzan", ("Rock",), 1.0),
        ("Pop", "gtzan", ("Rock",), 0.0),
    ],
)
def test_a_genre_is_right_wrong_or_nobody_knows(name, source, genres, expected):
    judged = judge(LABELS[NAMES.index(name)], make_clip("x", source, genres))
    assert np.isnan(judged) if expected is None else judged == expected


def test_the_threshold_is_the_lowest_that_surely_keeps_the_goal():
    probable = np.linspace(0.99, 0, 100)
    # The first forty are right, then every second.
    right = np.array([1.0] * 40 + [0.0, 1.0] * 30)
    threshold = choose_threshold(probable, right, 0.85)
    kept = probable >= threshold
    assert kept.sum() > 40
    assert 0.87 < right[kept].mean() < 0.93, "the goal and as much as chance may add to so few"
    assert choose_threshold(probable, np.zeros(100), 0.5) == 1.0


def test_the_more_clips_the_nearer_to_the_goal():
    kept = []
    for n in (100, 10_000):
        probable = np.linspace(1, 0, n)
        right = (np.random.default_rng(0).random(n) < probable).astype(float)
        kept.append(right[probable >= choose_threshold(probable, right)].mean())
    assert 0.85 < kept[1] < 0.86
    assert kept[0] > kept[1]


def test_one_lucky_clip_is_not_enough():
    assert choose_threshold(np.array([0.9, 0.8]), np.array([1.0, 0.0]), 0.9) == 1.0


def test_what_nobody_knows_does_not_move_the_threshold():
    probable = np.linspace(0.99, 0, 100)
    right = np.array([1.0] * 40 + [0.0, 1.0] * 30)
    known = choose_threshold(probable, right)
    in_between = np.concatenate([probable, probable + 0.001])
    assert choose_threshold(in_between, np.concatenate([right, np.full(100, np.nan)])) == known


def test_the_threshold_of_an_artist_is_chosen_on_others():
    """Everything is right in one half and wrong in the other: each gets what the other deserves."""
    groups = np.repeat(np.arange(40), 2)
    clips = [make_clip(str(i), "taffc", ("Jazz",)) for i in range(80)]
    probable = np.linspace(0.99, 0.2, 80)
    rng = np.random.default_rng(0)
    noise = FirstGenres(clips, np.full(80, "Jazz"), probable, (rng.random(80) < probable).astype(float))
    thresholds = cross_fitted(noise, groups)
    assert len(set(thresholds)) == 2
    for threshold in set(thresholds):
        own = thresholds == threshold
        assert not set(groups[own]) & set(groups[~own])
        assert threshold == choose_threshold(probable[~own], noise.right[~own])


def test_a_sure_and_right_encoder_writes_everything(make_study):
    genres = ["Blues", "Jazz", "Country", "Reggae"]
    clips = [make_clip(str(i), "gtzan", (genres[i % 4],)) for i in range(80)]
    probabilities = np.zeros((80, len(LABELS)), np.float32)
    for i in range(80):
        probabilities[i, NAMES.index(genres[i % 4])] = 1.0
    study = make_study(clips, {"musrec": np.zeros((80, 2))}, probabilities={"musrec": probabilities})
    tables = measure_calibration(study)
    assert tables["calibration"]["all genres"]["calibration error"] == (0, 0, 0)
    written = tables["first genre"]["threshold chosen on other artists"]
    assert written["tracks written"] == written["of them right"] == (1, 1, 1)
    assert written["unknown"] == 0


def test_an_encoder_that_knows_nothing_writes_nothing(make_study):
    clips = [make_clip(str(i), "gtzan", ("Blues",)) for i in range(20)]
    probabilities = np.zeros((20, len(LABELS)), np.float32)
    probabilities[:, NAMES.index("Jazz")] = 0.7
    study = make_study(clips, {"musrec": np.zeros((20, 2))}, probabilities={"musrec": probabilities})
    tables = measure_calibration(study)
    assert tables["first genre"]["threshold chosen on other artists"]["tracks written"][0] == 0
    assert tables["calibration"]["first genre"]["calibration error"][0] == pytest.approx(0.7)
