"""The tables `playlists:` and `mpd:`: every key, every mistake in one line, and names that are safe for files."""

import re
from pathlib import Path

import confuse
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.config import Config, from_view, read_config
from musrecd.config_playlists import MpdConfig, PlaylistConfig, PlaylistsConfig, _list_template, _template, file_name
from musrecd.errors import ConfigError

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def read(tmp_path):
    """Return a function: the lines of the `musrec:` section → Config."""

    def config(*lines: str) -> Config:
        path = tmp_path / "config.yaml"
        path.write_text("musrec:\n" + "".join(f"  {line}\n" for line in lines), encoding="utf-8")
        return read_config(path)

    return config


@pytest.fixture
def one(read):
    """Return a function: a playlist in YAML → PlaylistConfig."""

    def playlist(text: str) -> PlaylistConfig:
        (found,) = read("playlists:", "  lists:", f"    - {text}").playlists.lists
        return found

    return playlist


def test_nothing_said_means_no_playlists_and_mpd_on_this_machine(read):
    config = read("threads: 1")
    assert config.playlists == PlaylistsConfig(None, None, "", False, False, ())
    assert config.mpd == MpdConfig("localhost", 6600, "", None)


def test_a_playlist_needs_a_name_and_seeds_only(one):
    assert one("{name: Evening, seeds: nick drake}") == PlaylistConfig("Evening", "Evening.m3u8", ("nick drake",))


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("seeds: [a b, /c/d.mp3]", "seeds", ("a b", "/c/d.mp3")),
        ("number: 7", "number", 7),
        ("preset: mix", "preset", "mix"),
        ("preset: ", "preset", None),
        ("tempo: 0.08", "tempo", 0.08),
        ("key: energy", "key", "energy"),
        ("genres: any", "genres", "any"),
        ("genres: same", "genres", "same"),
        ("genres: Jazz", "genres", (("Jazz",),)),
        ("genres: [Jazz, Hip Hop]", "genres", (("Jazz",), ("Hip Hop",))),
        ("labels: [[calm, guitar], ambient]", "labels", (("calm", "guitar"), ("ambient",))),
        ("labels: []", "labels", ()),
        ("order: flow", "order", "flow"),
        ("refresh: 12 hours", "refresh_hours", 12.0),
        ("refresh: 1 day", "refresh_hours", 24.0),
        ("refresh: ", "refresh_hours", None),
    ],
)
def test_every_key_of_a_playlist_is_read(one, text, field, value):
    seeds = "" if text.startswith("seeds") else "seeds: x, "
    assert getattr(one(f"{{name: A, {seeds}{text}}}"), field) == value


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{prefix: 'http://nas/'}", PlaylistsConfig(prefix="http://nas/")),
        ("{forward_slash: yes, urlencode: yes}", PlaylistsConfig(forward_slash=True, urlencode=True)),
        ("{playlist_dir: /lists}", PlaylistsConfig(playlist_dir=Path("/lists"))),
        ("{relative_to: /music}", PlaylistsConfig(relative_to=Path("/music"))),
    ],
)
def test_every_key_of_the_table_is_read(read, line, expected):
    assert read(f"playlists: {line}").playlists == expected


def test_mpd_is_read_and_its_password_not_shown(read):
    mpd = read("mpd: {host: /run/mpd, port: 6601, password: secret, music_directory: /music}").mpd
    assert mpd == MpdConfig("/run/mpd", 6601, "secret", Path("/music"))
    assert "secret" not in repr(mpd)


def test_beets_shows_neither_password_nor_prefix():
    configuration = confuse.Configuration("beets-test", read=False)
    configuration["musrec"].add({"mpd": {"password": "secret"}, "playlists": {"prefix": "http://me:secret@nas/"}})
    from_view(configuration["musrec"])
    assert "secret" not in configuration.dump(redact=True)


def test_relative_folders_are_taken_from_the_folder_of_the_file(read, tmp_path):
    config = read("playlists: {playlist_dir: lists, relative_to: ~/Music}", "mpd: {music_directory: music}")
    assert config.playlists.playlist_dir == tmp_path / "lists"
    assert config.playlists.relative_to == Path("~/Music").expanduser()
    assert config.mpd.music_directory == tmp_path / "music"


@pytest.mark.parametrize(
    "text",
    [
        "{name: A}", "{seeds: x}", "3", "words", "[]", "{name: [], seeds: x}", "{name: '', seeds: x}",
        "{name: ' ', seeds: x}", '{name: "a\\nb", seeds: x}', '{name: "\\ud800", seeds: x}', "{name: yes, seeds: x}",
        "{name: a, seeds: []}", "{name: a, seeds: 3}", "{name: a, seeds: ''}", "{name: a, seeds: [[x]]}",
        "{name: a, seeds: x, number: 0}", "{name: a, seeds: x, preset: dance}", "{name: a, seeds: x, preset: no}",
        "{name: a, seeds: x, tempo: 6}", "{name: a, seeds: x, tempo: yes}", "{name: a, seeds: x, key: no}",
        "{name: a, seeds: x, genres: 3}", "{name: a, seeds: x, genres: [1]}", "{name: a, seeds: x, genres: [[]]}",
        "{name: a, seeds: x, genres: ''}", "{name: a, seeds: x, labels: {a: b}}", "{name: a, seeds: x, order: random}",
        "{name: a, seeds: x, refresh: 7}", "{name: a, seeds: x, refresh: 0 days}", "{name: a, seeds: x, colour: red}",
        "{name: a, seeds: x, refresh: weekly}",
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line_that_names_the_place(one, text):
    with pytest.raises(ConfigError, match=r"^[^\n]*musrec\.playlists\.lists#0[^\n]*$"):
        one(text)


@pytest.mark.parametrize(
    "line",
    [
        "playlists: 3", "playlists: []", "playlists: {lists: {a: b}}", "playlists: {folder: /x}",
        "playlists: {prefix: []}", "playlists: {urlencode: 1}", "playlists: {playlist_dir: 3}",
        "mpd: 3", "mpd: {port: 0}", "mpd: {port: '6600'}", "mpd: {host: ''}", "mpd: {user: me}",
        'mpd: {password: "a\\nclear"}',
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used_are_refused_by_name(read, line):
    with pytest.raises(ConfigError, match=rf"^[^\n]*musrec\.{line.partition(':')[0]}[^\n]*$"):
        read(line)


@pytest.mark.parametrize(("first", "second"), [("A", "a"), ("A/B", "A:B"), ("A", "A.m3u8"), ("é", "e\u0301")])
def test_two_lists_in_one_file_are_refused(read, first, second):
    with pytest.raises(ConfigError, match="the same file"):
        read("playlists:", "  lists:", f"    - {{name: '{first}', seeds: x}}", f"    - {{name: '{second}', seeds: x}}")


@given(
    st.text() | st.sampled_from(["..", ".", "../../etc/passwd", "a/b\\c", "é" * 300, ".m3u", "x" * 300 + ".m3u", ""])
)
def test_every_name_is_the_name_of_one_file_in_its_folder(name):
    file = file_name(name)
    assert not re.search(r"[/\\\x00-\x1f]", file)
    assert not file.startswith(".")
    assert 0 < len(file.encode("utf-8")) <= 255
    assert file.lower().endswith((".m3u", ".m3u8"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Evening", "Evening.m3u8"),
        ("For MPD.m3u", "For MPD.m3u"),
        ("Old.M3U8", "Old.m3u8"),
        ("AC/DC: live?", "AC_DC_ live_.m3u8"),
        ("..", "__.m3u8"),
        (".hidden", "_hidden.m3u8"),
        ("  spaced  ", "spaced.m3u8"),
        ("夜の音楽 🎷", "夜の音楽 🎷.m3u8"),
        ("", "_.m3u8"),
    ],
)
def test_names_become_files_as_beets_would_name_them(name, file):
    assert file_name(name) == file


def test_the_example_documents_every_key():
    text = (PROJECT / "config.example.yaml").read_text(encoding="utf-8")
    (table,) = re.findall(r"^  playlists:\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    assert set(re.findall(r"^    (?:# )?([a-z_]+): ", table, re.MULTILINE)) == set(_template())
    assert set(re.findall(r"^    #   (?:- |  )([a-z_]+): ", table, re.MULTILINE)) == set(_list_template())
    (table,) = re.findall(r"^  mpd:\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    assert set(re.findall(r"^    (?:# )?([a-z_]+): ", table, re.MULTILINE)) == set(MpdConfig.__slots__)


def test_the_example_of_a_playlist_can_be_used(read):
    text = (PROJECT / "config.example.yaml").read_text(encoding="utf-8")
    lines = re.findall(r"^    #   ((?:- |  ).*)$", text, re.MULTILINE)
    (playlist,) = read("playlists:", "  lists:", *(f"    {line}" for line in lines)).playlists.lists
    assert playlist.labels == (("calm", "guitar"), ("ambient",))
    assert playlist.refresh_hours == 168
