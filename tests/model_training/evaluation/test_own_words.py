"""Genres learnt from ten tracks each: drawn fairly, found by whom the sound tells them."""

import numpy as np
import pytest

from model_training.evaluation import own_words
from model_training.evaluation.goals import compare_with_goals
from model_training.evaluation.own_words import N_KNOWN, draw_many, drawable, measure_own_words
from tests.model_training.evaluation.conftest import make_clip

GENRES = ("Jazz", "Rock", "Reggae", "Disco")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(own_words, "N_DRAWS", 8)


def collection(sizes=(4, 3, 2, 2, 2, 2)):
    labels, groups = [], []
    for genre in GENRES:
        for artist, size in enumerate(sizes):
            labels += [genre] * size
            groups += [f"{genre} {artist}"] * size
    return np.array(labels), np.array(groups)


@pytest.mark.parametrize("sizes", [(4, 3, 2, 2, 2, 2), (8, 1, 1, 1), (4, 3, 3, 3), (1,) * 30])
def test_ten_tracks_of_each_genre_are_known_and_other_artists_are_asked_about(sizes):
    labels, groups = collection(sizes)
    draws = list(draw_many(labels, groups))
    assert len(draws) == 8
    for draw in draws:
        assert len(set(draw.known)) == len(draw.known)
        for genre in GENRES:
            known = draw.known[labels[draw.known] == genre]
            assert len(known) == N_KNOWN
            assert len(set(groups[known])) >= 3
            assert genre in labels[draw.asked]
        assert not set(groups[draw.known]) & set(groups[draw.asked])
    assert len({draw.known.tobytes() for draw in draws}) > 1
    again = [draw.known.tobytes() for draw in draw_many(labels, groups)]
    assert again == [draw.known.tobytes() for draw in draws]


def test_who_plays_two_genres_is_not_asked_about_when_known_for_one():
    labels, groups = collection()
    groups[groups == "Rock 0"] = groups[groups == "Jazz 0"] = "both"
    for draw in draw_many(labels, groups):
        assert not set(groups[draw.known]) & set(groups[draw.asked])


@pytest.mark.parametrize(
    ("sizes", "enough"),
    [((10, 1, 1), False), ((5, 3, 1, 1), False), ((8, 1, 1, 1), True), ((7, 1, 1, 1), False), ((20,), False)],
)
def test_genres_need_an_artist_who_is_left_to_be_asked_about(sizes, enough):
    labels, groups = collection(sizes)
    assert drawable(labels, groups) == (sorted(GENRES) if enough else [])


def test_who_hears_genres_finds_them_and_the_gain_is_a_goal(make_study):
    labels, groups = collection()
    clips = [
        make_clip(f"{i}", "gtzan", (genre,), group=str(group))
        for i, (genre, group) in enumerate(zip(labels, groups, strict=True))
    ]
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((len(clips), 16))
    told = noise / 3 + 4 * np.eye(16)[[GENRES.index(genre) for genre in labels]]
    ours = told / np.linalg.norm(told, axis=1, keepdims=True)
    systems = {"musrec": ours.astype(np.float32), "mfcc": noise, "fcn_msd": noise, "musicnn_msd": noise + told / 8}
    tables = measure_own_words(make_study(clips, systems))
    accuracy = {name: cells["accuracy"][0] for name, cells in tables["own words"].items()}
    assert accuracy["musrec"] == accuracy["musrec, probe"] == 1
    assert accuracy["fcn_msd"] < 0.5
    assert set(accuracy) == {*systems, "musrec, probe", "fcn_msd + musicnn_msd"}
    assert tables["own words"]["musrec"]["genres"] == 4
    written = tables["own words written"]["musrec"]
    assert written["tracks written"][0] > 0.5
    assert written["of them right"][0] == 1
    gains = tables["own words gained over"]
    assert gains["fcn_msd"]["accuracy"][0] == pytest.approx(1 - accuracy["fcn_msd"])
    [(goal, row)] = compare_with_goals(tables).items()
    best = max(("fcn_msd", "musicnn_msd", "fcn_msd + musicnn_msd"), key=accuracy.get)
    assert goal.endswith(f"({best})")
    assert row["reached"] == "yes"


def test_nothing_is_measured_without_two_genres(make_study):
    clips = [make_clip(str(i), "gtzan", ("Jazz",)) for i in range(30)]
    assert measure_own_words(make_study(clips, {"musrec": np.eye(30)})) == {}
