"""Labels become the person's genres."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.config import VocabularyConfig
from musrecd.errors import ConfigError
from musrecd.tagging.predict import Prediction
from musrecd.tagging.vocabulary import LabelRow, Vocabulary, label_table
from musrecd.types import Label

LABELS = tuple(
    Label(name, group)
    for name, group in [
        ("Electronic", "genre"),
        ("House", "genre"),
        ("Techno", "genre"),
        ("Hip Hop", "genre"),
        ("R&B", "genre"),
        ("Punk", "genre"),
        ("Folk", "genre"),
        ("Piano", "instrument"),
        ("Instrumental", "voice"),
        ("Calm", "mood"),
    ]
)
GENRES = [label.name for label in LABELS if label.group == "genre"]


@pytest.fixture
def vocabulary(folder):
    """Return a function: settings → Vocabulary."""
    return lambda **settings: Vocabulary.of(VocabularyConfig(**settings), LABELS, folder)


def names(vocabulary: Vocabulary, *given_: tuple[str, float], artist: str = "") -> list[tuple[str, float]]:
    found = vocabulary.names([Prediction(*each) for each in given_], artist=artist)
    return [(p.name, p.probability) for p in found]


def test_by_default_the_most_probable_label_is_written_as_it_is_called(vocabulary):
    assert names(vocabulary(), ("Hip Hop", 0.8), ("R&B", 0.9), ("Folk", 0.1)) == [("R&B", 0.9)]
    assert names(vocabulary(count=3), ("Hip Hop", 0.8), ("R&B", 0.9)) == [("R&B", 0.9), ("Hip Hop", 0.8)]
    assert names(vocabulary()) == []


def test_the_shipped_labels_are_all_written_by_default(labels, folder):
    written = {row.label: row.written for row in label_table(labels, Vocabulary.of(VocabularyConfig(), labels, folder))}
    assert {label: word for label, word in written.items() if word not in ("", label)} == {
        "Punk": "Punk Rock",
        "World": "World Music",
    }
    assert {label for label, word in written.items() if not word} == {x.name for x in labels if x.group != "genre"}


@pytest.mark.parametrize("settings", [{}, {"whitelist": False}, {"whitelist": ("Piano", "Calm", "Instrumental")}])
def test_what_is_no_genre_is_never_written_as_one(vocabulary, settings):
    assert names(vocabulary(**settings), ("Piano", 1.0), ("Instrumental", 1.0), ("calm", 1.0)) == []


def test_what_becomes_the_same_is_written_once_with_the_greater_probability(vocabulary):
    electronic = vocabulary(whitelist=("Electronic",), canonical=True, count=5)
    assert names(electronic, ("House", 0.8), ("Techno", 0.9), ("Electronic", 0.3)) == [("Electronic", 0.9)]


def test_genres_above_are_as_probable_as_those_that_imply_them(vocabulary):
    both = vocabulary(canonical=True, count=3)
    assert names(both, ("House", 0.8), ("Electronic", 0.3), ("Folk", 0.5)) == [
        ("House", 0.8),
        ("Electronic", 0.8),
        ("Folk", 0.5),
    ]


def test_without_a_whitelist_the_root_of_the_tree_is_written(vocabulary):
    assert names(vocabulary(whitelist=False, canonical=True), ("House", 0.8)) == [("Electronic", 0.8)]


def test_the_most_specific_may_be_preferred_of_equally_specific_ones_the_most_probable(vocabulary):
    specific = vocabulary(prefer_specific=True, count=3)
    assert names(specific, ("Electronic", 0.9), ("House", 0.75), ("Techno", 0.8)) == [
        ("Techno", 0.8),
        ("House", 0.75),
        ("Electronic", 0.9),
    ]


def test_a_list_of_the_persons_is_written_as_it_stands(vocabulary):
    own = vocabulary(whitelist=("Hip-Hop", "rhythm & blues", "FOLK MUSIC"), count=9)
    assert names(own, ("Hip Hop", 0.9), ("R&B", 0.8), ("Folk", 0.7), ("House", 0.6)) == [
        ("Hip-Hop", 0.9),
        ("rhythm & blues", 0.8),
        ("FOLK MUSIC", 0.7),
    ]


def test_a_list_in_a_file_is_written_in_title_case(vocabulary, tmp_path):
    path = tmp_path / "genres.txt"
    path.write_text("hip-hop\n# folk\n", encoding="utf-8")
    assert names(vocabulary(whitelist=path), ("Hip Hop", 0.9)) == [("Hip-Hop", 0.9)]
    assert names(vocabulary(whitelist=path, title_case=False), ("Hip Hop", 0.9)) == [("hip-hop", 0.9)]
    assert names(vocabulary(whitelist=path), ("Folk", 0.9)) == []


def test_aliases_of_the_persons_own(vocabulary):
    own = vocabulary(whitelist=False, aliases={"Hip-Hop/Rap": ("hip[ -]?hop",), r"\1 rock": ("(punk|folk)",)}, count=9)
    assert names(own, ("Hip Hop", 0.9), ("Punk", 0.8), ("R&B", 0.7)) == [
        ("Hip-Hop/Rap", 0.9),
        ("Punk Rock", 0.8),
        ("R&B", 0.7),
    ]


def test_an_alias_that_asks_for_a_group_that_is_not_there_is_passed_over(vocabulary):
    assert names(vocabulary(aliases={r"\2": ("(folk)",)}), ("Folk", 0.9)) == [("Folk", 0.9)]


def test_words_in_lower_case(vocabulary):
    assert names(vocabulary(title_case=False), ("R&B", 0.9)) == [("r&b", 0.9)]


def test_a_label_of_the_persons_own_keeps_its_spelling(folder):
    """A vocabulary learned from a person's tags has labels that no title case would give."""
    own = Vocabulary.of(VocabularyConfig(aliases=False), [Label("EDM", "genre"), Label("Punk", "genre")], folder)
    assert names(own, ("EDM", 0.9)) == [("EDM", 0.9)]
    assert names(own, ("Punk", 0.9)) == [("Punk", 0.9)]


def test_what_is_ignored_for_an_artist_is_written_for_others(vocabulary):
    careful = vocabulary(ignored={"*": ("punk.*",), "enya": ("folk",)}, count=9)
    heard = (("Punk", 0.9), ("Folk", 0.8))
    assert names(careful, *heard, artist="Somebody") == [("Folk", 0.8)]
    assert names(careful, *heard, artist="Enya") == []


def test_a_wrong_alias_is_told_in_one_line(vocabulary):
    with pytest.raises(ConfigError, match="regular expression"):
        vocabulary(aliases={"a": ("(",)})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("hip-hop", "Hip Hop"),
        ("hiphop", "HIP HOP"),
        ("R&B", "Rhythm and Blues"),
        ("RnB", "r'n'b"),
        ("Drum n Bass", "DnB"),
        ("Rock & Roll", "rock'n'roll"),
        ("Raï", "rai"),
        ("Electronic Music", "electronic"),
        ("World", "World Music"),
        ("Singer/Songwriter", "singer-songwriter"),
        ("Lo-Fi", "lofi"),
        ("Punk", "punk rock"),
        ("!!!", "!!!"),
        ("ロック", "ロック"),
    ],
)
@pytest.mark.parametrize("aliases", [True, False])
def test_one_genre_spelled_differently(vocabulary, a, b, aliases):
    assert vocabulary(aliases=aliases).same(a, b)
    assert vocabulary(aliases=aliases).same(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Electronica", "Electronic"),
        ("Electro", "Electronic"),
        ("Pop", "K-Pop"),
        ("Folk", "Folk Metal"),
        ("Metal", "Heavy Metal"),
        ("Rock", "Rock and Roll"),
        ("Music", "Rock"),
        ("!!!", "???"),
        ("ロック", "ポップ"),
        ("R&B", "Rap"),
        ("", "Rock"),
    ],
)
def test_two_genres_that_only_look_alike(vocabulary, a, b):
    assert not vocabulary().same(a, b)
    assert not vocabulary().same(b, a)


def test_aliases_of_each_other_are_the_same(vocabulary):
    own = vocabulary(aliases={"schlager": ("volksmusik", "german pop")})
    assert own.same("Volksmusik", "German Pop")
    assert own.same("Schlager", "Volksmusik")
    assert not vocabulary().same("Volksmusik", "German Pop")


@pytest.mark.parametrize(
    ("genre", "there", "expected"),
    [
        ("Hip Hop", ["Pop", "hip-hop"], True),
        ("Hip Hop", ["Hip-Hop/Rap"], True),
        ("Soul", ["R&B; Soul"], True),
        ("Rap", ["Trap"], False),
        ("Rock", ["Punk Rock"], False),
        ("Rock", [], False),
        ("Rock", ["", "/"], False),
    ],
)
def test_whether_a_genre_is_there_already(vocabulary, genre, there, expected):
    assert vocabulary().among(genre, there) is expected


def test_the_list_of_labels_says_what_is_written(vocabulary):
    rows = label_table(LABELS, vocabulary(canonical=True, count=2))
    assert [row.label for row in rows] == [label.name for label in LABELS]
    assert LabelRow("genre", "House", "House, Electronic") in rows
    assert LabelRow("instrument", "Piano", "") in rows


WORDS = ["Electronic", "Hip-Hop", "rock", "Folk", "House", "Rhythm & Blues", "punk rock"]
SETTINGS = st.builds(
    VocabularyConfig,
    whitelist=st.booleans() | st.lists(st.sampled_from(WORDS), min_size=1, unique=True).map(tuple),
    aliases=st.booleans(),
    canonical=st.booleans(),
    prefer_specific=st.booleans(),
    title_case=st.booleans(),
    count=st.integers(1, 5),
)
PREDICTIONS = st.lists(st.builds(Prediction, st.sampled_from([x.name for x in LABELS]), st.floats(0, 1)), max_size=12)


@given(config=SETTINGS, predictions=PREDICTIONS)
def test_whatever_is_set_no_genre_is_written_twice_or_without_leave(folder, config, predictions):
    vocabulary = Vocabulary.of(config, LABELS, folder)
    written = vocabulary.names(predictions)
    words = [p.name for p in written]
    assert len(words) == len({word.lower() for word in words}) <= config.count
    assert vocabulary.names(written) == written, "names are names of themselves"
    assert {p.probability for p in written} <= {p.probability for p in predictions}
    if isinstance(config.whitelist, tuple):
        assert set(words) <= set(config.whitelist)
    elif config.whitelist:
        assert {word.lower() for word in words} <= {genre.lower() for genre in [*GENRES, "Punk Rock"]}
    if not config.prefer_specific:
        assert [p.probability for p in written] == sorted((p.probability for p in written), reverse=True)


@given(a=st.text(max_size=12), b=st.text(max_size=12))
def test_being_the_same_goes_both_ways(folder, a, b):
    vocabulary = Vocabulary.of(VocabularyConfig(), LABELS, folder)
    assert vocabulary.same(a, a)
    assert vocabulary.same(a, b) == vocabulary.same(b, a)
    assert vocabulary.same(a, f"  {a.upper().lower()} ") or a.upper().lower() != a.lower()
