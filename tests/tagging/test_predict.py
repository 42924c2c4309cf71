"""Probabilities become words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.tagging.predict import THRESHOLDS, Prediction, certain, most_probable
from musrecd.types import Label

LABELS = (
    Label("Rock", "genre"),
    Label("Piano", "instrument"),
    Label("Jazz", "genre"),
    Label("Calm", "mood"),
    Label("Blues", "genre"),
    Label("Folk", "genre"),
)
PROBABILITIES = np.array([0.2, 0.99, 0.7, 0.9, 0.7, 0.1], np.float32)


def test_the_most_probable_genres_come_first():
    assert [p.name for p in most_probable(PROBABILITIES, LABELS)] == ["Jazz", "Blues", "Rock"]


def test_labels_that_are_equally_probable_keep_their_order():
    assert [p.name for p in most_probable(PROBABILITIES, LABELS, number=2)] == ["Jazz", "Blues"]


@pytest.mark.parametrize(("group", "names"), [("instrument", ["Piano"]), ("mood", ["Calm"]), ("voice", [])])
def test_other_groups_are_asked_in_the_same_way(group, names):
    assert [p.name for p in most_probable(PROBABILITIES, LABELS, group=group)] == names


@pytest.mark.parametrize(("number", "n"), [(0, 0), (1, 1), (4, 4), (100, 4)])
def test_no_more_are_given_than_asked_for_or_there_are(number, n):
    assert len(most_probable(PROBABILITIES, LABELS, number=number)) == n


def test_probabilities_are_plain_numbers_between_nought_and_one():
    """Rounding must not show 1.0000001, and JSON must take them."""
    predictions = most_probable(np.array([1.0000001, 0, -1e-9, 0, 0.5, 0], np.float32), LABELS, number=4)
    assert predictions[0] == Prediction("Rock", 1.0)
    assert all(type(p.probability) is float and 0 <= p.probability <= 1 for p in predictions)


@given(st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6), st.integers(1, 6))
def test_what_is_given_is_at_least_as_probable_as_what_is_not(values, number):
    probabilities = np.array(values, np.float32)
    predictions = most_probable(probabilities, LABELS, number=number)
    given_names = {p.name for p in predictions}
    genres = {label.name: float(p) for label, p in zip(LABELS, probabilities, strict=True) if label.group == "genre"}
    assert len(predictions) == min(number, len(genres))
    assert all(p.probability == genres[p.name] for p in predictions)
    rest = [p for name, p in genres.items() if name not in given_names]
    assert min(p.probability for p in predictions) >= max(rest, default=0)


VOICES = tuple(Label(name, "voice") for name in ("Choir", "Female Vocals", "Instrumental", "Male Vocals", "Vocals"))


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ((0.0, 0.05, 0.13, 0.01, 0.02), [("Instrumental", 0.13 / 0.18)]),
        ((0.0, 0.25, 0.01, 0.02, 0.10), [("Vocals", 0.25 / 0.26)]),
        ((0.17, 0.05, 0.05, 0.02, 0.10), [("Vocals", 0.17 / 0.22)]),
        ((0.0, 0.05, 0.06, 0.02, 0.05), []),
        ((0.0, 0.0, 0.0, 0.0, 0.0), []),
    ],
)
def test_a_track_is_instrumental_or_sung_or_it_is_not_known(probabilities, expected):
    """The probabilities are those of the shipped encoder: none is large, their ratio tells."""
    found = certain(np.array(probabilities, np.float32), VOICES, "voice")
    assert [p.name for p in found] == [name for name, _ in expected]
    assert [p.probability for p in found] == pytest.approx([share for _, share in expected])


def test_an_encoder_without_voices_says_nothing_of_them():
    assert certain(PROBABILITIES, LABELS, "voice") == []


def test_labels_are_certain_from_the_threshold_on():
    labels = [Label("Calm", "mood"), Label("Sad", "mood"), Label("Happy", "mood"), Label("Piano", "instrument")]
    probabilities = np.array([0.5, 0.49, 0.9, 0.2], np.float32)
    assert [p.name for p in certain(probabilities, labels, "mood")] == ["Happy", "Calm"]
    assert [p.name for p in certain(probabilities, labels, "mood", 0.74)] == ["Happy"]
    assert [p.name for p in certain(probabilities, labels, "instrument", 0.1)] == ["Piano"]
    assert certain(probabilities, labels, "instrument", 0.21) == []


@given(st.lists(st.floats(0, 1, width=32), min_size=5, max_size=5), st.floats(0.51, 1))
def test_at_most_one_voice_is_certain(values, threshold):
    found = certain(np.array(values, np.float32), VOICES, "voice", threshold)
    assert len(found) <= 1
    assert all(threshold <= p.probability <= 1 for p in found)


def test_every_group_but_genres_has_a_threshold(labels):
    """That of genres is the person's."""
    assert set(THRESHOLDS) == {label.group for label in labels} - {"genre"}
    assert {"Instrumental", "Vocals"} <= {label.name for label in labels if label.group == "voice"}
