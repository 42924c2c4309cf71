"""Which labels are believed, and which a word means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.errors import MusrecError
from musrecd.labels import believed, columns_of, in_255ths
from musrecd.tagging.predict import certain

LABELS = read_card(SHIPPED_WEIGHTS).info.labels


def meant(name):
    return {LABELS[column].name for column in columns_of(name, LABELS)}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("guitar", {"Guitar", "Acoustic Guitar", "Electric Guitar"}),
        ("acoustic GUITAR", {"Acoustic Guitar"}),
        ("guitars", {"Guitar", "Acoustic Guitar", "Electric Guitar"}),
        ("female", {"Female Vocals"}),
        ("vocals", {"Vocals", "Female Vocals", "Male Vocals"}),
        ("drum", {"Drums", "Drum Machine"}),
        ("instrumental", {"Instrumental"}),
        ("pop", {"Pop"}),
        ("traditional", {"Traditional Pop"}),
        ("hip-hop", {"Hip Hop"}),
        ("rnb", {"R&B"}),
        ("calm", {"Calm"}),
    ],
)
def test_a_word_means_every_label_that_contains_it(name, labels):
    assert meant(name) == labels


@pytest.mark.parametrize(
    ("name", "told"), [("pianno", "did you mean Piano"), ("femal", "did you mean Female"), ("qqq", "there are ")]
)
def test_other_words_are_told_with_what_is_near(name, told):
    with pytest.raises(MusrecError, match=f"'{name}' is no label; {told}"):
        columns_of(name, LABELS)


@pytest.mark.parametrize("name", ["", " ", "-", "/"])
def test_no_word_means_nothing(name):
    with pytest.raises(MusrecError, match="is no label"):
        columns_of(name, LABELS)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 255))
def test_labels_of_rows_are_believed_as_those_of_tags_are_certain(state, most):
    """But for what rounding to 255ths forgives."""
    row = np.random.default_rng(state).integers(0, most, (1, len(LABELS)), np.uint8, endpoint=True)
    exact = row[0] / np.float32(255)
    columns = [i for i, label in enumerate(LABELS) if label.name not in ("Female Vocals", "Male Vocals", "Choir")]
    told = believed(row, LABELS, columns)[0]
    for column, is_told in zip(columns, told, strict=True):
        label = LABELS[column]
        threshold = 0.5 if label.group == "genre" else None
        is_certain = label.name in {each.name for each in certain(exact, LABELS, label.group, threshold)}
        assert is_told >= is_certain
        slack = exact + (np.arange(len(exact)) == column) * np.float32(0.003)
        forgiven = certain(slack, LABELS, label.group, threshold if threshold or label.group != "voice" else 0.66)
        assert is_certain or not is_told or label.name in {each.name for each in forgiven}


def test_of_who_sings_the_most_probable_is_believed():
    names = [label.name for label in LABELS]
    row = np.zeros((1, len(LABELS)), np.uint8)
    row[0, names.index("Female Vocals")], row[0, names.index("Male Vocals")] = 40, 30
    columns = [names.index(name) for name in ("Vocals", "Female Vocals", "Male Vocals", "Choir", "Instrumental")]
    assert believed(row, LABELS, columns).tolist() == [[True, True, False, False, False]]


def test_probabilities_survive_the_way_to_255ths():
    values = np.arange(256, dtype=np.uint8)
    assert (in_255ths(values / np.float32(255)) == values).all()
    assert in_255ths([-1.0, 2.0]).tolist() == [0, 255]
