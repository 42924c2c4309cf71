"""musrec writes the words that beets' lastgenre writes: its code and ours, side by side."""

import random
import sys

import beets
import confuse
import pytest

from musrecd.config import VocabularyConfig
from musrecd.errors import ConfigError
from musrecd.tagging.lastgenre import built_in_aliases, from_lastgenre, lastgenre_folder, read_tree, read_whitelist
from musrecd.tagging.predict import Prediction
from musrecd.tagging.vocabulary import Vocabulary

CONFIGURATIONS = [
    {},
    {"whitelist": False},
    {"whitelist": ""},
    {"whitelist": None, "canonical": None},
    {"canonical": True},
    {"canonical": True, "count": 3},
    {"canonical": "", "whitelist": False},
    {"canonical": True, "whitelist": False, "count": 2},
    {"prefer_specific": True},
    {"prefer_specific": True, "whitelist": False},
    {"prefer_specific": True, "canonical": True, "count": 4},
    {"prefer_specific": True, "canonical": True, "whitelist": False, "count": 2},
    {"title_case": False},
    {"title_case": False, "canonical": True, "count": 2},
    {"aliases": False},
    {"aliases": {"Hip-Hop/Rap": ["hip[ -]hop"], r"\1 & \1": ["(rock)"], r"\3": ["(jazz)"], "bebop": ["jazz"]}},
    {"aliases": {r"\1 music": ["(.*)"]}, "whitelist": False},
    {"ignorelist": {"*": ["house", "rock("], "Somebody": [".*hop"], "Nobody": ["pop"]}},
    {"ignorelist": {"*": ["electronic"]}, "canonical": True, "count": 3},
    {"ignorelist": {"*": ["electronic"]}, "canonical": True, "whitelist": False},
]
# lastgenre's whitelist knows these under another name, which Last.fm would have to say; musrec finds it.
KNOWN_AS = {
    "Dance": "Dance Music",
    "Experimental": "Experimental Music",
    "Folk": "Folk Music",
    "Latin": "Latin American",
    "New Age": "New Age Music",
    "Traditional Pop": "Traditional Pop Music",
}
# And these as well where it has no aliases, or others.
KNOWN_WITHOUT_ALIASES = {"Punk": "Punk Rock", "World": "World Music"}


@pytest.fixture
def musrec(labels, folder):
    """Return a function that takes over beets' settings and returns another: labels, best first → what is written."""

    def configured():
        vocabulary = Vocabulary.of(from_lastgenre(beets.config["lastgenre"], folder), labels)

        def written(*names: str) -> list[str]:
            predictions = [Prediction(name, 1 - i / 100) for i, name in enumerate(names)]
            return [p.name for p in vocabulary.names(predictions, artist="Somebody")]

        return written

    return configured


@pytest.fixture(scope="session")
def genres(labels) -> list[str]:
    return [label.name for label in labels if label.group == "genre"]


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_every_label_is_written_as_lastgenre_writes_it(lastgenre, musrec, genres, configuration):
    """Where lastgenre has nothing to write musrec may have: what lastgenre writes when it is told the name it knows."""
    theirs, ours = lastgenre(configuration), musrec()
    pairs = {genre: (theirs(genre), ours(genre)) for genre in genres}
    assert {genre: pair for genre, pair in pairs.items() if pair[0] and pair[0] != pair[1]} == {}
    assert sum(bool(written) for written, _ in pairs.values()) >= len(genres) // 2
    additional = {genre: pair[1] for genre, pair in pairs.items() if pair[1] and not pair[0]}
    any_word = configuration.get("whitelist") is False
    known_as = {} if any_word else KNOWN_AS | KNOWN_WITHOUT_ALIASES
    expected = {genre: theirs(known_as.get(genre, genre)) for genre in additional}
    if configuration.get("prefer_specific"):
        # It drops what its tree does not know, such as "metal"; preferred does not mean exclusively.
        expected |= {genre: [known_as.get(genre, genre)] for genre, written in expected.items() if not written}
    assert additional == expected


def test_only_those_words_are_found_that_lastgenre_knows_by_another_name(lastgenre, musrec, genres):
    theirs, ours = lastgenre({}), musrec()
    assert {genre: ours(genre) for genre in genres if not theirs(genre)} == {
        genre: [name] for genre, name in KNOWN_AS.items()
    } | {"Soundtrack": []}


def test_what_a_person_ignores_is_not_found_by_another_name(lastgenre, musrec):
    lastgenre({"ignorelist": {"*": ["folk"]}})
    assert musrec()("Folk") == []


@pytest.mark.parametrize("configuration", [c for c in CONFIGURATIONS if not c.get("prefer_specific")], ids=str)
def test_several_labels_are_written_as_lastgenre_writes_them(lastgenre, musrec, genres, configuration):
    """It may stop early, because it counts words twice when it looks whether it has enough."""
    theirs, ours = lastgenre(configuration), musrec()
    rng = random.Random(str(configuration))
    known = [genre for genre in genres if genre not in KNOWN_AS | KNOWN_WITHOUT_ALIASES]
    for names in (rng.sample(known, rng.randint(1, 6)) for _ in range(50)):
        written = theirs(*names)
        assert ours(*names)[: len(written)] == written
        assert written or not ours(*names)


def test_specific_genres_come_first_where_lastgenre_puts_them_first(lastgenre, musrec):
    names = ["Electronic", "Rock", "Trip Hop", "Ambient"]
    theirs, ours = lastgenre({"prefer_specific": True, "canonical": True, "count": 9}), musrec()
    assert ours(*names)[0] == theirs(*names)[0] == "Trip Hop"
    assert set(ours(*names)) == set(theirs(*names))


@pytest.fixture
def view():
    """Return a function: settings of a plugin that did not even load → their view."""

    def settings_of(values: dict) -> confuse.ConfigView:
        configuration = confuse.Configuration("beets-test", read=False)
        configuration["lastgenre"].set(values)
        return configuration["lastgenre"]

    return settings_of


def test_nothing_said_means_lastgenres_defaults(view, folder):
    assert from_lastgenre(view({}), folder) == VocabularyConfig(whitelist=folder / "genres.txt")


def test_what_is_said_for_musrec_counts_more(view, folder):
    theirs = view({"count": 3, "title_case": False, "whitelist": False})
    own = VocabularyConfig(count=2, canonical=True)
    merged = from_lastgenre(theirs, folder, own)
    assert (merged.count, merged.canonical, merged.title_case, merged.whitelist) == (2, True, False, False)
    assert from_lastgenre(theirs, folder, VocabularyConfig()).count == 3


def test_files_of_the_persons_own_are_read(view, folder, labels, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "words.txt").write_text("# mine\n\nElektronik\n Jazz \n", encoding="utf-8")
    (tmp_path / "tree.yaml").write_text("- elektronik:\n  - house\n  - techno: [trance]\n", encoding="utf-8")
    config = from_lastgenre(view({"whitelist": "~/words.txt", "canonical": "~/tree.yaml"}), folder)
    vocabulary = Vocabulary.of(config, labels)
    assert vocabulary.names([Prediction("Trance", 0.8)]) == (Prediction("Elektronik", 0.8),)
    assert vocabulary.names([Prediction("Rock", 0.8)]) == ()


@pytest.mark.parametrize(
    "values",
    [
        {"count": "many"},
        {"aliases": "yes please"},
        {"aliases": {"a": 3}},
        {"aliases": {"a": ["("]}},
        {"ignorelist": ["a"]},
        {"whitelist": "/nowhere/words.txt"},
        {"canonical": "/nowhere/tree.yaml"},
    ],
    ids=str,
)
def test_what_cannot_be_used_is_told_in_one_line(view, folder, labels, values):
    with pytest.raises(ConfigError) as caught:
        Vocabulary.of(from_lastgenre(view(values), folder), labels)
    assert "\n" not in str(caught.value)
    assert str(caught.value).strip()


@pytest.mark.parametrize("text", ["a: [", "\t- x: {", "- *nothing"])
def test_a_tree_that_is_not_yaml_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "tree.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"tree\.yaml") as caught:
        read_tree(path)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_told(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(ConfigError, match=r"words\.txt"):
        read_whitelist(path)


def test_a_genre_on_two_branches_stands_on_the_first(tmp_path):
    path = tmp_path / "tree.yaml"
    path.write_text("- blues:\n  - blues rock: [90s]\n- rock:\n  - blues rock\n  - 80\n- jazz\n", encoding="utf-8")
    tree = read_tree(path)
    assert tree["blues rock"] == ("blues rock", "blues")
    assert tree["90s"] == ("90s", "blues rock", "blues")
    assert tree["80"] == ("80", "rock")
    assert tree["jazz"] == ("jazz",)


def test_versions_without_aliases_have_none(tmp_path, folder):
    assert built_in_aliases(tmp_path) == {}
    assert "r&b" in built_in_aliases(folder)


@pytest.mark.parametrize("missing", ["beetsplug", "beetsplug.lastgenre"])
def test_a_python_without_beets_says_what_to_do(monkeypatch, missing):
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr("sys.meta_path", [])
    for name in [name for name in sys.modules if name.startswith(missing)]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match="install beets"):
        lastgenre_folder()
