"""The one list of labels: every word exists where it is said to, and truths are told from not knowing."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from model_training.datasets.base import Clip
from model_training.datasets.clips import load_clips
from model_training.labels import LABELS, LabelSource, family, main_genre, teacher_targets, truth
from musrecd.types import Label

# Teacher → the key of its labels in labels.json.
TEACHERS = {
    "fcn_msd": "msd",
    "fcn_mtat": "mtat",
    "fcn_jamendo": "jamendo",
    "crnn_msd": "msd",
    "musicnn_msd": "musicnn_msd",
}


def clip(source: str, genres: tuple[str, ...] = (), moods: tuple[str, ...] = ()) -> Clip:
    return Clip(Path("x"), "x", source, "artist:x", genres, moods)


def source_of(name: str):
    return next(source for source in LABELS if source.label.name == name)


@pytest.fixture(scope="module")
def vocabularies(shared) -> dict[str, list[str]]:
    labels = json.loads((shared / "teachers" / "labels.json").read_text(encoding="utf-8"))
    return {teacher: labels[key] for teacher, key in TEACHERS.items()}


def test_names_are_unique_and_of_a_known_group():
    names = [source.label.name for source in LABELS]
    assert len(set(names)) == len(names)
    assert set(Counter(source.label.group for source in LABELS)) == {"genre", "instrument", "voice", "mood"}


def test_every_label_is_known_by_somebody():
    assert [source.label.name for source in LABELS if not source.truths and not source.teachers] == []


def test_every_word_of_a_teacher_exists_in_its_labels(vocabularies):
    missing = [
        f"{source.label.name}: {word!r} is not a label of {teacher}"
        for source in LABELS
        for vocabulary, word in source.teachers
        for teacher in TEACHERS
        if teacher.endswith(vocabulary) and word not in vocabularies[teacher]
    ]
    assert missing == []


def test_every_vocabulary_is_spoken_by_a_teacher():
    spoken = {vocabulary for source in LABELS for vocabulary, _ in source.teachers}
    assert all(any(teacher.endswith(vocabulary) for teacher in TEACHERS) for vocabulary in spoken)


def test_every_label_with_truths_is_true_of_some_clip_and_false_of_another(shared):
    clips = load_clips(shared / "data")
    for source in LABELS:
        if source.truths:
            assert {truth(source, each) for each in clips} >= {0.0, 1.0}, source.label.name


def test_the_truths_of_the_clips_that_the_encoder_was_trained_on_have_not_changed(shared):
    """Whoever changes a word of them on purpose writes the new checksum here, and trains again."""
    clips = load_clips(shared / "data")
    table = [[each.name, main_genre(each), *(truth(source, each) for source in LABELS)] for each in clips]
    found = hashlib.sha256(json.dumps([[s.label.name for s in LABELS], table]).encode()).hexdigest()
    assert found == "3b8ba1708d30977701adc5b65c1f698998d991725c5ac73e28cd12b4c734375d"


def test_every_source_of_truth_is_a_source_of_clips(shared):
    families = {family(each.source) for each in load_clips(shared / "data")}
    assert {name for source in LABELS for name in source.truths} <= families


JAZZ = LabelSource(Label("Jazz", "genre"), {"taffc": ("Jazz",), "gtzan": ("Jazz", "Swing"), "fagioli": ("",)})


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        (clip("taffc", ("Jazz", "Pop/Rock")), 1.0),
        (clip("taffc", ("Pop/Rock",)), 0.0),
        (clip("taffc", ("Pop/Rock",), ("Jazz",)), 1.0),
        (clip("taffc"), 0.0),
        (clip("gtzan_short", ("Swing",)), 1.0),
        (clip("fagioli", ("cumbia",)), 0.0),
        (clip("zouk", ("Zouk",)), None),
        (clip("open:wesnoth", ("Jazz",)), None),
    ],
)
def test_truth_is_yes_no_or_not_known(each, expected):
    """A family of sources that is not among the truths does not know; one that is denies what it does not say."""
    assert truth(JAZZ, each) == expected


@pytest.mark.parametrize(
    ("name", "each", "expected"),
    [
        ("Jazz", clip("taffc", ("Jazz", "Pop/Rock")), 1.0),
        ("Jazz", clip("taffc", ("Pop/Rock",)), 0.0),
        ("Jazz", clip("gtzan_short", ("Jazz",)), 1.0),
        ("Classical", clip("fagioli", ("clasico",)), 1.0),
        ("Classical", clip("fagioli", ("cumbia",)), 0.0),
        ("Hip Hop", clip("gtzan", ("Hiphop",)), 1.0),
        ("Calm", clip("taffc", ("Jazz",), ("Quiet", "Q4")), 1.0),
        ("Calm", clip("taffc", ("Jazz",), ("Q1",)), 0.0),
        ("Calm", clip("gtzan", ("Jazz",)), None),
        ("Piano", clip("taffc", ("Jazz",)), None),
        ("Jazz", clip("gtzan_full", ("Blues",)), 0.0),
        ("Calm", clip("taffc_full", ("Jazz",), ("Q4",)), 1.0),
        ("Metal", clip("fma", ("Rock",)), None),
        ("House", clip("jamendo", ("genre---deephouse",)), 1.0),
        ("Electronic", clip("jamendo", ("genre---deephouse",)), 1.0),
        ("Rock", clip("jamendo", ("genre---deephouse",)), None),
        ("Happy", clip("jamendo", (), ("mood/theme---happy",)), 1.0),
        ("Jazz", clip("mtat", ("jazzy",)), 1.0),
        ("R&B", clip("beets", ("rhythm & blues",)), 1.0),
        ("Jazz", clip("beets", ("Rock",)), None),
    ],
)
def test_our_labels_know_the_words_of_the_data_sets(name, each, expected):
    assert truth(source_of(name), each) == expected


def test_a_denied_word_denies_its_label_unless_another_word_says_it():
    each = Clip(Path("x"), "x", "folders", "artist:x", ("Rap",), (), denied=("Hip-Hop", "Jazz"))
    assert truth(source_of("Hip Hop"), each) == 1.0
    assert truth(source_of("Jazz"), each) == 0.0
    assert truth(source_of("Rock"), each) is None


def test_what_else_is_said_of_a_clip_counts():
    each = Clip(Path("x"), "x", "mtat", "artist:x", (), (), others=("acoustic guitar",))
    assert truth(source_of("Acoustic Guitar"), each) == truth(source_of("Guitar"), each) == 1.0


def test_families_are_the_vocabularies_of_sources():
    assert [family(s) for s in ("gtzan_short", "gtzan", "open:x_y", "taffc")] == ["gtzan", "gtzan", "open", "taffc"]


def test_a_target_is_the_mean_of_the_teachers_that_know_the_label():
    vocabularies = {"fcn_msd": ["jazz", "rock"], "fcn_jamendo": ["genre---jazz"], "musicnn_msd": ["rock", "jazz"]}
    for source in LABELS:
        for vocabulary, word in source.teachers:
            for teacher, words in vocabularies.items():
                if teacher.endswith(vocabulary) and word not in words:
                    words.append(word)
    rng = np.random.default_rng(0)
    probabilities = {t: rng.random((3, len(words))).astype(np.float32) for t, words in vocabularies.items()}
    targets = teacher_targets(probabilities, vocabularies)
    names = [source.label.name for source in LABELS]
    jazz = (
        probabilities["fcn_msd"][:, 0] + probabilities["fcn_jamendo"][:, 0] + probabilities["musicnn_msd"][:, 1]
    ) / 3
    np.testing.assert_allclose(targets[:, names.index("Jazz")], jazz, rtol=1e-6)
    assert np.isnan(targets[:, names.index("Zouk")]).all()
    assert np.isnan(targets[:, names.index("Cello")]).all(), "only MagnaTagATune knows it, and was not asked"
    assert targets.shape == (3, len(LABELS))


@pytest.mark.parametrize(
    ("each", "genre"),
    [
        (clip("taffc", ("Jazz",)), "Jazz"),
        (clip("taffc", ("Jazz", "Blues")), ""),
        (clip("taffc", ("Rap",)), "Hip Hop"),
        (clip("taffc", ("Pop/Rock",)), "Pop/Rock"),
        (clip("gtzan", ("Hiphop",)), "Hip Hop"),
        (clip("gtzan_short", ("Classical",)), "Classical"),
        (clip("fagioli", ("clasico",)), "Classical"),
        (clip("open:wesnoth", ("Soundtrack",)), ""),
        (clip("taffc", ()), ""),
        (clip("taffc_full", ("Jazz", "Blues")), ""),
        (clip("gtzan_full", ("Hiphop",)), "Hip Hop"),
        (clip("fma", ("Soul-RnB",)), "R&B"),
        (clip("fma", ("Jazz", "Rock")), ""),
        (clip("jamendo", ("genre---rap",)), "Hip Hop"),
        (clip("mtat", ("rock", "jazz")), ""),
        (clip("beets", ("Hip-Hop", "Jazz")), "Hip Hop"),
        (clip("folders", ("Mum's favourites",)), ""),
    ],
)
def test_the_genre_by_which_a_clip_is_scored_is_in_our_words(each, genre):
    assert main_genre(each) == genre
