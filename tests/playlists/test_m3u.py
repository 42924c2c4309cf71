"""Playlists as files: what stands in them, and which files are never touched."""

import os
import stat
import threading
from urllib.request import pathname2url

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.config_playlists import PlaylistsConfig
from musrecd.errors import PlaylistError
from musrecd.playlists import m3u
from musrecd.playlists.m3u import content, fits_a_line, location, put, shown_name
from musrecd.types import Tags, Track

PLAIN = PlaylistsConfig()
PATHS = st.binary(min_size=1, max_size=40).filter(lambda raw: b"\0" not in raw).map(lambda raw: b"/music/" + raw)


def body(data: bytes) -> list[bytes]:
    """Lines below the first two."""
    lines = data.split(b"\n")
    assert lines[0] == b"#EXTM3U"
    assert lines[1].startswith(b"#MUSREC:")
    assert lines[-1] == b""
    return lines[2:-1]


def test_each_track_has_its_length_its_name_and_its_path(make_track):
    data = content([make_track(b"/m/1.flac", "Björk", "Jóga", 304.6), make_track(b"/m/2.mp3", "", "Solo")], PLAIN)
    assert body(data) == ["#EXTINF:305,Björk - Jóga".encode(), b"/m/1.flac", b"#EXTINF:100,Solo", b"/m/2.mp3"]


def test_a_track_without_a_title_is_named_by_its_file(make_track):
    assert shown_name(make_track(b"/m/caf\xe9 1.flac", "Artist", "")) == "caf\ufffd 1"


@given(st.lists(st.tuples(PATHS, st.text(), st.text())), st.booleans())
def test_whatever_names_hold_there_are_two_lines_for_each_track_that_fits(described, urlencode):
    style = PlaylistsConfig(urlencode=urlencode)
    tracks = [Track(path, 1, 10.0, Tags(artist, title)) for path, artist, title in described]
    fitting = [track for track in tracks if fits_a_line(track.path, style)]
    data = content(tracks, style)
    lines = body(data)
    assert b"\r" not in data
    assert len(lines) == 2 * len(fitting)
    assert all(line.startswith(b"#EXTINF:10,") for line in lines[::2])
    assert lines[1::2] == [location(track.path, style) for track in fitting]
    for line in lines[::2]:
        line.decode("utf-8")


def test_paths_that_are_no_text_keep_their_bytes(make_track):
    assert body(content([make_track(b"/m/caf\xe9.mp3")], PLAIN))[1] == b"/m/caf\xe9.mp3"


@pytest.mark.parametrize(
    ("path", "style", "line"),
    [
        (b"/m/a/1.mp3", {"relative_to": "/m/lists"}, b"../a/1.mp3"),
        (b"/m/a/1.mp3", {"relative_to": "/m"}, b"a/1.mp3"),
        (b"/m/#1.mp3", {"relative_to": "/m"}, b"./#1.mp3"),
        (b"/m/ 1.mp3", {"relative_to": "/m"}, b"./ 1.mp3"),
        (b"/m/a/1.mp3", {"relative_to": "/m", "prefix": "http://nas/"}, b"http://nas/a/1.mp3"),
        (b"/m/a b/\xe9.mp3", {"urlencode": True, "prefix": "file://"}, b"file:///m/a%20b/%E9.mp3"),
        (b"/m/a\nb.mp3", {"urlencode": True}, b"/m/a%0Ab.mp3"),
        (b"/m/a\\b.mp3", {"forward_slash": True}, b"/m/a/b.mp3"),
    ],
)
def test_paths_are_written_as_the_settings_say(path, style, line, tmp_path):
    if "relative_to" in style:
        style["relative_to"] = tmp_path.__class__(style["relative_to"])
    assert location(path, PlaylistsConfig(**style)) == line


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")).map(lambda name: f"/m/{name}"))
def test_urls_are_those_of_smartplaylist(path):
    assert location(os.fsencode(path), PlaylistsConfig(urlencode=True)).decode() == pathname2url(path)


def test_what_is_the_same_is_not_touched(tmp_path, make_track):
    path = tmp_path / "a.m3u8"
    data = content([make_track(b"/m/1")], PLAIN)
    assert put(path, data)
    os.utime(path, ns=(1, 1))
    before = path.stat()
    assert not put(path, data)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert put(path, content([make_track(b"/m/2")], PLAIN))
    assert b"/m/2" in path.read_bytes()
    assert os.listdir(tmp_path) == ["a.m3u8"]


@pytest.mark.parametrize("change", [lambda d: d + b"/m/mine.mp3\n", lambda d: d[:-3], lambda d: b"#EXTM3U\n/m/x\n"])
def test_what_a_person_wrote_or_changed_stays(tmp_path, make_track, change):
    path = tmp_path / "a.m3u8"
    put(path, content([make_track(b"/m/1")], PLAIN))
    path.write_bytes(changed := change(path.read_bytes()))
    with pytest.raises(PlaylistError, match="stays as it is"):
        put(path, content([make_track(b"/m/2")], PLAIN))
    assert path.read_bytes() == changed


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_stays(tmp_path, make):
    make(tmp_path / "a.m3u8")
    with pytest.raises(PlaylistError, match="not a file"):
        put(tmp_path / "a.m3u8", content([], PLAIN))
    assert not (tmp_path / "a.m3u8").is_file()


def test_a_link_leads_to_the_file_that_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a.m3u8").symlink_to(tmp_path / "elsewhere" / "b.m3u8")
    assert put(tmp_path / "a.m3u8", content([], PLAIN))
    assert (tmp_path / "a.m3u8").is_symlink()
    assert (tmp_path / "elsewhere" / "b.m3u8").is_file()


def test_players_may_read_it_and_its_mode_is_kept(tmp_path, make_track):
    path = tmp_path / "lists" / "a.m3u8"
    before = os.umask(0o022)
    try:
        put(path, content([], PLAIN))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o660)
    put(path, content([make_track(b"/m/1")], PLAIN))
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaylistError, match=r"^.*/a\.m3u8 cannot be written: Not a directory$"):
        put(tmp_path / "file" / "a.m3u8", content([], PLAIN))


def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path, make_track, monkeypatch):
    path = tmp_path / "a.m3u8"
    put(path, before := content([make_track(b"/m/1")], PLAIN))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(m3u.os, "fsync", full)
    with pytest.raises(PlaylistError, match="No space left"):
        put(path, content([make_track(b"/m/2")], PLAIN))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.m3u8"]


def test_who_reads_meanwhile_sees_the_old_list_or_the_new_one(tmp_path, make_track):
    path = tmp_path / "a.m3u8"
    contents = [content([make_track(b"/m/%d" % n)] * 3000, PLAIN) for n in range(2)]
    put(path, contents[0])
    seen, done = set(), threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(60):
        put(path, contents[number % 2])
    done.set()
    looking.join()
    assert seen
    assert seen <= set(contents)
