"""A person's own genres: told where the sound tells them, left alone where it does not."""

import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.errors import LearningError
from musrecd.tagging import discriminant, learning
from musrecd.tagging.learning import LEAST_ARTISTS, LEAST_TRACKS, learn, suspicious
from musrecd.tagging.learnt import Learnt, probabilities

DIM = 16


class Music:
    """Tracks of `n_artists` artists with `per_artist` each; an artist plays one genre and sounds like himself.

    `told` says how far genres lie apart; at 0 the sound knows nothing of them.
    """

    def __init__(self, names, *, n_artists=12, per_artist=3, told=1.0, seed=0):
        rng = np.random.default_rng(seed)
        artist = np.repeat(np.arange(len(names) * n_artists), per_artist)
        genre = artist % len(names)
        X = told * 4 * np.eye(DIM)[genre] + rng.standard_normal((artist.max() + 1, DIM))[artist] / 2
        self.X = unit(X + rng.standard_normal(X.shape) / 2)
        self.genres = [(names[g],) for g in genre]
        self.artists = [f"artist {a}" for a in artist]

    def learn(self) -> Learnt:
        return learn(self.X, self.genres, self.artists, encoder_version="enc-1")


def unit(X):
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def right(learnt, music):
    best = probabilities(learnt, music.X).argmax(1)
    return np.mean([learnt.names[b] in own for b, own in zip(best, music.genres, strict=True)])


NAMES = ("Dub", "Fado", "Rock & Roll", "Ska")


@pytest.fixture(scope="module")
def music() -> Music:
    return Music(NAMES)


@pytest.fixture(scope="module")
def learnt(music) -> Learnt:
    return music.learn()


def test_genres_that_sound_different_are_told(learnt):
    others = Music(NAMES, seed=1)
    assert learnt.names == NAMES
    assert right(learnt, others) == 1
    said = probabilities(learnt, others.X)
    assert said.dtype == np.float32
    assert ((said >= 0) & (said <= 1)).all()
    written = said >= learnt.thresholds
    has = np.array([[name in own for name in NAMES] for own in others.genres])
    assert written[has].mean() > 0.9
    assert has[written].mean() > 0.95


def test_the_report_says_how_well(learnt):
    report = learnt.report
    assert (report.n_tracks, report.n_artists, report.accuracy, report.precision) == (144, 48, 1.0, 1.0)
    assert report.share_written > 0.8
    np.testing.assert_array_equal(report.confusion, 36 * np.eye(4))
    assert report.not_learnt == ()
    for genre, name in zip(report.genres, NAMES, strict=True):
        assert (genre.name, genre.n_tracks, genre.n_artists) == (name, 36, 12)
        assert (genre.precision, genre.average_precision) == (1.0, 1.0)
        assert 0.8 < genre.recall <= 1
        assert genre.share_written == pytest.approx(genre.recall / 4)


def test_nothing_is_sure_where_the_sound_knows_nothing():
    """Over many drawings, because of many coins some show the same side for long."""
    written = []
    for seed in range(30):
        learnt = Music(NAMES[:3], told=0, seed=seed).learn()
        assert learnt.report.accuracy < 0.7
        written.append((probabilities(learnt, Music(NAMES, seed=seed + 1).X) >= learnt.thresholds).any(1).mean())
        assert learnt.report.share_written < 0.2
    assert np.mean(written) < 0.01


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    n_genres=st.integers(4, 8),
    n_artists=st.integers(5, 15),
    per_artist=st.integers(2, 6),
)
def test_random_genres_of_tracks_are_never_written(seed, n_genres, n_artists, per_artist):
    names = [f"genre {i}" for i in range(n_genres)]
    music = Music(names, n_artists=n_artists, per_artist=per_artist, told=0, seed=seed)
    drawn = np.random.default_rng(seed).integers(0, n_genres, len(music.X))
    music.genres = [(names[i],) for i in drawn]
    try:
        learnt = music.learn()
    except LearningError:
        return  # by chance none has enough tracks
    assert learnt.report.share_written < 0.02
    assert (probabilities(learnt, music.X) >= learnt.thresholds).mean() < 0.05


@settings(max_examples=40)
@given(st.data())
def test_no_artist_is_on_both_sides_of_a_fold(data):
    n = data.draw(st.integers(10, 120))
    groups = np.array(data.draw(st.lists(st.integers(0, 15), min_size=n, max_size=n)))
    strata = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    if len(np.unique(groups)) < 2:
        with pytest.raises(LearningError, match="two artists at least"):
            discriminant.folds_over(strata, groups, seed=0)
        return
    folds = discriminant.folds_over(strata, groups, seed=0)
    assert sorted(np.concatenate(folds)) == list(range(n))
    sides = [set(groups[rows]) for rows in folds]
    assert sum(map(len, sides)) == len(set(groups))


def test_an_artist_is_judged_by_others_alone():
    """Tracks that only their own artist could vouch for are not told in cross-validation, but by the final head."""
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(12), 10)
    # Every artist sounds like himself alone, and his genre is drawn.
    music = Music(NAMES[:2])
    music.X = unit(3 * rng.standard_normal((12, DIM))[artists] + rng.standard_normal((120, DIM)) / 10)
    music.artists = [f" Artist {a}" if i % 2 else f"artist {a} " for i, a in enumerate(artists)]
    music.genres = [(NAMES[i],) for i in rng.permutation(np.arange(12) % 2)[artists]]
    learnt = music.learn()
    assert learnt.report.n_artists == 12
    assert right(learnt, music) == 1
    assert learnt.report.accuracy < 0.75


def test_unknown_artists_are_artists_of_their_own(music):
    assert learn(music.X, music.genres, [""] * len(music.X), encoder_version="v").report.n_artists == len(music.X)


def test_a_wrong_genre_is_found_and_does_not_vouch_for_itself(music):
    genres = list(music.genres)
    genres[4], genres[77] = ("Fado",), ("Ska", "Obscure")
    wrong = {i for i in range(len(genres)) if genres[i] != music.genres[i]}
    learnt = learn(music.X, genres, music.artists, encoder_version="v")
    found = suspicious(learnt, music.X, genres, music.artists)
    assert {each.index for each in found} == wrong
    for each in found:
        assert each.genre == genres[each.index][0]
        assert (each.suggested,) == music.genres[each.index]
        assert each.probability >= learning.GOAL


def test_an_artist_whose_genre_is_wrong_throughout_is_found(music):
    genres = [
        ("Ska",) if artist == "artist 0" else own for own, artist in zip(music.genres, music.artists, strict=True)
    ]
    found = suspicious(learn(music.X, genres, music.artists, encoder_version="v"), music.X, genres, music.artists)
    assert {music.artists[each.index] for each in found} == {"artist 0"}
    assert {(each.genre, each.suggested) for each in found} == {("Ska", "Dub")}


def test_the_strongest_doubts_come_first_and_few_in_all(music):
    rng = np.random.default_rng(2)
    genres = list(music.genres)
    for index in rng.choice(len(genres), 12, replace=False):
        genres[index] = (NAMES[(NAMES.index(genres[index][0]) + 1) % 4],)
    found = suspicious(learn(music.X, genres, music.artists, encoder_version="v"), music.X, genres, music.artists)
    assert 1 < len(found) <= np.ceil(0.03 * len(genres))
    assert all(genres[each.index] != music.genres[each.index] for each in found)


def test_few_tracks_cannot_judge_each_other(music, learnt):
    for chosen in ([], [0], [0, 3], list(range(30))):
        own, artists = [music.genres[i] for i in chosen], [music.artists[i] for i in chosen]
        with pytest.raises(LearningError, match="not those that were learnt"):
            suspicious(learnt, music.X[chosen], own, artists)


def test_doubts_do_not_need_the_very_tracks_that_were_learnt(learnt):
    """Since then a genre was begun, which is none of those that were learnt."""
    later = Music(NAMES, seed=8)
    later.genres[:3] = [("New",), ("Ska",), ("Dub",)]
    found = suspicious(learnt, later.X, later.genres, later.artists)
    assert [(each.index, each.suggested) for each in found] == [(1, "Dub")]


def test_what_was_not_learnt_is_not_doubted(music):
    genres = [("Obscure",) if i < 5 else own for i, own in enumerate(music.genres)]
    genres[5] = ()
    found = suspicious(learn(music.X, genres, music.artists, encoder_version="v"), music.X, genres, music.artists)
    assert found == []


def test_too_few_tracks_or_artists_are_told_with_the_reason(music):
    genres = list(music.genres)
    of_one_artist = Music(("Opera", "Fado"), n_artists=1, per_artist=LEAST_TRACKS, seed=3)
    X = np.vstack([music.X, of_one_artist.X])
    genres += [("Opera",)] * 2 * LEAST_TRACKS
    artists = [*music.artists, *of_one_artist.artists]
    for index in range(LEAST_TRACKS - 1):
        genres[index * 3] += ("Rare",)
    learnt = learn(X, genres, artists, encoder_version="v")
    assert learnt.names == NAMES
    assert [(each.name, each.n_tracks, each.n_artists, each.reason) for each in learnt.report.not_learnt] == [
        ("Opera", 2 * LEAST_TRACKS, 2, "too few artists: 2"),
        ("Rare", LEAST_TRACKS - 1, LEAST_TRACKS - 1, f"too few tracks: {LEAST_TRACKS - 1}"),
    ]
    # What is none of the learnt ones is known for that, too.
    fields = [len(learnt.weights), len(learnt.bias), len(learnt.slopes), len(learnt.thresholds)]
    assert fields == [5, 5, 4, 4]
    assert (probabilities(learnt, of_one_artist.X[:LEAST_TRACKS]) >= learnt.thresholds).mean() < 0.1


def test_just_enough_is_enough():
    music = Music(NAMES[:2], n_artists=LEAST_ARTISTS, per_artist=LEAST_TRACKS)
    genres = [own if i < LEAST_TRACKS * 6 else () for i, own in enumerate(music.genres)]
    assert learn(music.X, genres, music.artists, encoder_version="v").names == NAMES[:2]


def test_tracks_of_several_genres_get_several():
    music = Music(NAMES, seed=5)
    both = 4 * (np.eye(DIM)[0] + np.eye(DIM)[1])
    rng = np.random.default_rng(0)
    X = np.vstack([music.X, unit(both + rng.standard_normal((60, DIM)) / 2)])
    genres = [*music.genres, *[("Fado", "Dub")] * 60]
    artists = [*music.artists, *(f"mixed {i // 3}" for i in range(60))]
    learnt = learn(X, genres, artists, encoder_version="v")
    mixed = probabilities(learnt, unit(both + rng.standard_normal((50, DIM)) / 2))
    pure = probabilities(learnt, Music(NAMES, seed=6).X)
    assert ((mixed >= learnt.thresholds)[:, :2].all(1)).mean() > 0.8
    assert not (mixed >= learnt.thresholds)[:, 2:].any()
    assert (pure[:, 2:] >= learnt.thresholds[2:]).mean() > 0.2  # a quarter is right
    dub, fado, *_ = learnt.report.genres
    assert (dub.n_tracks, fado.n_tracks) == (96, 96)
    assert learnt.report.accuracy == 1
    assert learnt.report.confusion.sum() == len(X)


def test_the_same_again_is_the_same_to_the_bit(music, learnt):
    assert music.learn().to_bytes() == learnt.to_bytes()


def test_the_order_of_tracks_changes_little(music, learnt):
    order = np.random.default_rng(0).permutation(len(music.X))
    shuffled = learn(
        music.X[order], [music.genres[i] for i in order], [music.artists[i] for i in order], encoder_version="enc-1"
    )
    assert shuffled.names == learnt.names
    np.testing.assert_allclose(probabilities(shuffled, music.X), probabilities(learnt, music.X), atol=0.15)


def test_nothing_is_lost_on_the_way_through_bytes(music, learnt):
    again = Learnt.from_bytes(learnt.to_bytes())
    assert again.to_bytes() == learnt.to_bytes()
    assert asdict(replace(again.report, confusion=None)) == asdict(replace(learnt.report, confusion=None))
    np.testing.assert_array_equal(again.report.confusion, learnt.report.confusion)
    assert (again.names, again.encoder_version) == (NAMES, "enc-1")
    np.testing.assert_array_equal(probabilities(again, music.X), probabilities(learnt, music.X))
    found = suspicious(again, music.X, music.genres, music.artists)
    assert found == suspicious(learnt, music.X, music.genres, music.artists)


def test_thresholds_that_nothing_reaches_survive_bytes():
    learnt = Music(NAMES[:3], told=0, seed=2).learn()
    assert np.isinf(learnt.thresholds).any()
    np.testing.assert_array_equal(Learnt.from_bytes(learnt.to_bytes()).thresholds, learnt.thresholds)


def test_other_bytes_are_refused(learnt):
    content = learnt.to_bytes()
    damaged = [b"", b"x", content[: len(content) // 2], content[100:], replace(learnt, bias=learnt.bias[1:]).to_bytes()]
    damaged += [replace(learnt, slopes=learnt.slopes[1:]).to_bytes(), replace(learnt, names=("a",)).to_bytes()]
    for each in damaged:
        with pytest.raises(LearningError, match=r"^the learnt genres cannot be read; [^\n]+$"):
            Learnt.from_bytes(each)


def test_numbers_that_are_none_are_refused(music, learnt):
    X = music.X.copy()
    X[7, 3] = np.nan
    with pytest.raises(LearningError, match="NaN"):
        learn(X, music.genres, music.artists, encoder_version="v")
    with pytest.raises(LearningError, match="NaN"):
        suspicious(learnt, X, music.genres, music.artists)


def test_what_does_not_belong_together_is_refused(music, learnt):
    with pytest.raises(LearningError, match="do not belong together"):
        learn(music.X[1:], music.genres, music.artists, encoder_version="v")
    with pytest.raises(LearningError, match="do not fit"):
        probabilities(learnt, music.X[:, 1:])
    with pytest.raises(LearningError, match="not those that were learnt"):
        suspicious(learnt, music.X, [("Polka",)] * len(music.X), music.artists)


@pytest.mark.parametrize(
    ("genres", "text"),
    [
        (lambda i: (), "no track has a genre"),
        (lambda i: ("", " "), "no track has a genre"),
        (lambda i: ("Ska",), "all tracks have the genre Ska"),
        (lambda i: (f"genre {i // 5}",), "no genre has at least 10 tracks by 3 artists"),
    ],
)
def test_what_cannot_be_learnt_is_said_in_one_line(music, genres, text):
    with pytest.raises(LearningError, match=text) as caught:
        learn(music.X, [genres(i) for i in range(len(music.X))], music.artists, encoder_version="v")
    assert "\n" not in str(caught.value)


def test_embeddings_that_are_all_alike_break_nothing():
    music = Music(NAMES)
    music.X = unit(np.ones((len(music.X), DIM)))
    learnt = music.learn()
    assert np.isinf(learnt.thresholds).all()
    np.testing.assert_allclose(probabilities(learnt, music.X), 0.25, atol=0.02)


def test_probabilities_are_honest_where_genres_overlap():
    names = [f"genre {i}" for i in range(6)]
    learnt = Music(names, n_artists=40, told=0.3, seed=1).learn()
    others = Music(names, n_artists=200, per_artist=1, told=0.3, seed=2)
    said = probabilities(learnt, others.X)
    has = np.array([[name in own for name in names] for own in others.genres])
    assert 0.3 < learnt.report.accuracy < 0.95
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1)):
        within = (said >= low) & (said < high)
        assert has[within].mean() == pytest.approx(said[within].mean(), abs=0.1)
    written = said >= learnt.thresholds
    assert written.sum() > 50
    assert has[written].mean() > learning.GOAL - 0.03


def test_a_large_library_takes_seconds():
    rng = np.random.default_rng(0)
    n, n_genres, artists = 20_000, 60, rng.integers(0, 1500, 20_000)
    of_artist = rng.integers(0, n_genres, 1500)
    X = unit(rng.standard_normal((n_genres, 128))[of_artist[artists]] / 2 + rng.standard_normal((n, 128)))
    genres = [(f"genre {g}",) for g in of_artist[artists]]
    begin = time.process_time()
    learnt = learn(X, genres, [str(a) for a in artists], encoder_version="v")
    assert time.process_time() - begin < 60  # seconds; about 5 on an idle core
    assert learnt.report.accuracy > 0.5


def test_asking_what_was_learnt_imports_neither_scikit_learn_nor_scipy(learnt, tmp_path):
    (tmp_path / "head").write_bytes(learnt.to_bytes())
    code = """
import sys
from pathlib import Path
import numpy as np
from musrecd.tagging.learning import learn, suspicious
from musrecd.tagging.learnt import Learnt, probabilities
print(probabilities(Learnt.from_bytes(Path(sys.argv[1]).read_bytes()), np.eye(1, 16, dtype=np.float32)).shape)
assert not {"sklearn", "scipy", "matplotlib"} & {name.partition(".")[0] for name in sys.modules}
"""
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "head"], capture_output=True, text=True, check=False
    )
    assert result.stdout == "(1, 4)\n", result.stderr
