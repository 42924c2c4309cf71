"""Words of sparsely tagged data sets mean labels that exist, each one, and people's spellings are understood."""

import pytest

from model_training.datasets.words import MEANINGS, implied, labels_meant
from model_training.labels import LABELS

GROUPS = {source.label.name: source.label.group for source in LABELS}


@pytest.mark.parametrize("family", MEANINGS)
def test_every_word_means_a_label_of_the_kind_it_says(family):
    assert {label: kind for kind, label in MEANINGS[family].values()}.items() <= GROUPS.items()


def test_every_genre_is_understood_by_its_own_name():
    genres = [name for name, group in GROUPS.items() if group == "genre"]
    for family in ("folders", "beets"):
        assert labels_meant(family, genres) == genres


def test_every_word_of_a_teacher_that_was_trained_on_a_data_set_is_understood_there():
    """The teachers' vocabularies are the fifty most frequent words of these data sets."""
    unknown = [
        f"{vocabulary}: {word} is not {source.label.name}"
        for source in LABELS
        for vocabulary, word in source.teachers
        if vocabulary in MEANINGS and source.label.name not in labels_meant(vocabulary, (word,))
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("hip-hop", "Hip Hop"),
        ("Hip Hop", "Hip Hop"),
        ("HIPHOP", "Hip Hop"),
        ("Rap", "Hip Hop"),
        ("r&b", "R&B"),
        ("RnB", "R&B"),
        ("R 'n' B", "R&B"),
        ("Rhythm & Blues", "R&B"),
        ("rhythm and blues", "R&B"),
        ("Electronica", "Electronic"),
        ("Drum & Bass", "Electronic"),
        ("new-age", "New Age"),
        ("Trip-Hop", "Trip Hop"),
    ],
)
def test_what_people_write_is_understood(word, label):
    assert labels_meant("folders", (word,)) == labels_meant("beets", (word,)) == [label]


def test_only_known_words_are_understood():
    assert labels_meant("beets", ("Pop/Rock", "Rocksteady", "", "Holiday")) == []
    assert labels_meant("fma", ("rock",)) == []
    assert labels_meant("nobody", ("Rock",)) == []


def test_a_kind_of_a_genre_is_of_the_genre():
    assert implied(["House", "Jazz"]) == {"House", "Electronic", "Jazz"}
    assert {label for name in GROUPS for label in implied([name])} == set(GROUPS)
