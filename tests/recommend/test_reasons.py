"""Why a track is a result, in words and numbers."""

import numpy as np
import pytest

from musrecd.keys import KEYS, Relation
from musrecd.recommend.asking import Choice, Entry, Rules
from musrecd.recommend.ranking import answer
from musrecd.recommend.reasons import explain
from musrecd.types import Features
from tests.recommend.reference import LABELS, NAMES, Collection


def two_tracks(bpm=(120.0, 121.44), key=("Am", "Em"), genres=((), ()), labels=("Rock", "Guitar")):
    """A seed, and one other track."""
    probabilities = np.zeros((2, len(LABELS)), np.uint8)
    probabilities[:, [NAMES[name] for name in labels]] = 200
    features = Features(
        duration_s=np.full(2, 200, np.float32),
        bpm=np.array(bpm, np.float32),
        bpm_confidence=np.ones(2, np.float32),
        key=np.array([-1 if each is None else KEYS.index(each) for each in key], np.int8),
        key_confidence=np.ones(2, np.float32),
        probabilities=probabilities,
        labels=LABELS,
    )
    vectors = np.array([[1, 0], [np.cos(0.1), np.sin(0.1)]], np.float32)
    listed = [Entry("Ann", "One", genres=genres[0]), Entry("Bob", "Two", genres=genres[1])]
    return Collection(vectors, features, listed)


def only_result(collection, rules=None):
    seeds = [collection.seed(0)]
    known = (collection.vectors, collection.features, collection)
    (result,) = answer(seeds, *known, rules or Rules(), Choice()).results
    return result, explain(result, seeds, collection.features)


def test_a_result_is_explained():
    result, lines = only_result(two_tracks())
    assert lines == ["sounds 100 % alike", "both Rock, Guitar", "121.4 BPM, 1.2 % faster", "8A → 9A, neighbour"]
    assert result.parts.sound == pytest.approx(np.cos(0.1), abs=1e-6)
    assert result.parts.labels == 1
    assert result.parts.tempo == pytest.approx(0.88, abs=1e-4)
    assert (result.parts.key, result.parts.relation, result.parts.shift) == (0.8, Relation.NEIGHBOUR, 0)
    assert result.parts.shared == ("Rock", "Guitar")


@pytest.mark.parametrize(
    ("bpm", "line"),
    [
        (120.0, "120.0 BPM, as fast"),
        (60.0, "60.0 BPM, as fast, half time"),
        (228.0, "228.0 BPM, 5.0 % slower, double time"),
        (90.0, "90.0 BPM"),
    ],
)
def test_tempo_in_words(bpm, line):
    assert line in only_result(two_tracks(bpm=(120.0, bpm)))[1]


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("Am", "8A → 8A, same"),
        ("C", "8A → 8B, relative"),
        ("Bm", "8A → 10A, energy; 2 semitones down to mix"),
        ("G#m", "8A → 1A, keys that clash; 1 semitone up to mix"),
    ],
)
def test_keys_in_words(key, line):
    assert line in only_result(two_tracks(key=("Am", key)))[1]


def test_what_is_not_known_is_not_told():
    result, lines = only_result(two_tracks(bpm=(120.0, np.nan), key=("Am", None), labels=()))
    assert lines == ["sounds 100 % alike"]
    parts = result.parts
    assert (parts.tempo, parts.key, parts.tempo_ratio, parts.tempo_factor, parts.relation, parts.shift) == (None,) * 6
    assert parts.shared == ()


def test_shared_genres_are_in_the_words_of_the_result():
    result, _ = only_result(two_tracks(genres=(("Hip-Hop", "Polka"), ("hip hop", "Jazz")), labels=()))
    assert result.parts.shared == ("hip hop",)


def test_relaxed_rules_are_named():
    rules = Rules(tempo=0.03, key="same", labels=(("Piano",),), genres=(("Jazz",),))
    result, _ = only_result(two_tracks(bpm=(120.0, 126.0)), rules)
    assert result.breaks == ("tempo 5.0 %", "key 9A", "labels", "genre")
    result, _ = only_result(two_tracks(key=("Am", None)), Rules(key="same"))
    assert result.breaks == ("no key",)


def test_tempo_is_never_relaxed_beyond_twice():
    collection = two_tracks(bpm=(120.0, 128.0))
    known = (collection.vectors, collection.features, collection)
    assert answer([collection.seed(0)], *known, Rules(tempo=0.03), Choice()).results == ()
