"""Tempo and key: each format holds them as beets reads them, nothing else changes, and what is there stays."""

from pathlib import Path

import mediafile
import mutagen
import pytest
from mutagen.id3 import ID3, TXXX

from musrecd.analysis.payload import survey
from musrecd.errors import TagError
from musrecd.tagging.files import Change, Rules, read, write
from musrecd.tagging.files.model import KEY, TEMPO
from tests.tagging.files.conftest import NAMES

BOTH = Change(tempo=("128",), key=("C#m",))
NOW = Rules(settle_s=0)
_KEYS = ("tbpm", "tmpo", "bpm", "wm/beatsperminute", "tkey", "initialkey", "----:com.apple.itunes:initialkey")


def others(path: Path) -> list[str]:
    tags = mutagen.File(path).tags
    items = [] if tags is None else tags if isinstance(tags, list) else [(k, repr(v)) for k, v in tags.items()]
    return [f"{k}={v}" for k, v in items if k.lower() not in _KEYS]


def without_tempo(path: Path) -> None:
    """Take the tempo out of the files that were made with one."""
    file = mutagen.File(path)
    for name in ("tmpo", "bpm"):
        if file.tags is not None and name in file.tags:
            del file.tags[name]
            file.save()


@pytest.mark.parametrize("name", NAMES)
def test_they_arrive_nothing_else_changes_and_all_bytes_come_back(music, name):
    path = music(name)
    without_tempo(path)
    was, before, sound, genres = path.read_bytes(), others(path), survey(bytes(path)), read(bytes(path)).genres
    written = write(bytes(path), BOTH, NOW)
    found = read(bytes(path))
    assert (found.tempo, found.key, found.genres) == (("128",), ("C#m",), genres)
    if path.suffix not in (".tta", ".spx") and name != "flac.ogg":
        media = mediafile.MediaFile(path)
        assert (media.bpm, media.initial_key) == (128, "C#m")
    assert others(path) == before
    assert survey(bytes(path)) == sound
    write(bytes(path), Change(raw=written.before.raw), NOW)
    assert path.read_bytes() == was


@pytest.mark.parametrize("name", ["v24.mp3", "comment.flac", "aac.m4a", "wma.wma", "ape.wv"])
def test_another_tempo_or_key_is_never_written_over_one_that_is_there(music, name):
    path = music(name)
    without_tempo(path)
    write(bytes(path), BOTH, NOW)
    before = path.read_bytes()
    for change in (Change(tempo=("64",)), Change(key=("E",)), Change(genres=("Rock",), tempo=("64",))):
        with pytest.raises(TagError, match="it has another"):
            write(bytes(path), change, NOW)
    assert path.read_bytes() == before
    assert write(bytes(path), BOTH, NOW).is_same


@pytest.mark.parametrize("name", ["v23.mp3", "vorbis.ogg", "aac.m4a", "wma.wma", "ape.wv"])
def test_the_zero_that_beets_writes_is_no_tempo(music, name):
    path = music(name)
    file = mediafile.MediaFile(path)
    file.bpm = 0
    file.save()
    kept = path.read_bytes()
    assert read(bytes(path)).tempo == ()
    written = write(bytes(path), BOTH, NOW)
    assert mediafile.MediaFile(path).bpm == 128
    write(bytes(path), Change(raw=written.before.raw), NOW)
    assert path.read_bytes() == kept


def _vorbis_key(path):
    file = mutagen.File(path)
    file["KEY"] = ["Dm"]
    file.save()


def _user_text(path):
    tag = ID3(path)
    tag.add(TXXX(encoding=3, desc="fBPM", text=["127.93"]))
    tag.save(path)


def _asf_key(path):
    file = mutagen.File(path)
    file["WM/InitialKey"] = ["Dm"]
    file.save()


def _free_form(path):
    without_tempo(path)
    file = mutagen.File(path)
    file["----:com.apple.iTunes:BPM"] = [b"127.93"]
    file.save()


@pytest.mark.parametrize(
    ("name", "put", "topic"),
    [("comment.flac", _vorbis_key, KEY), ("v24.mp3", _user_text, TEMPO), ("wma.wma", _asf_key, KEY),
     ("aac.m4a", _free_form, TEMPO)],
    ids=("flac", "mp3", "wma", "m4a"),
)  # fmt: skip
def test_what_another_program_wrote_under_another_name_counts(music, name, put, topic):
    path = music(name)
    put(path)
    before = path.read_bytes()
    assert read(bytes(path)).unread == (topic,)
    with pytest.raises(TagError) as caught:
        write(bytes(path), BOTH, NOW)
    assert caught.value.reason == "other tag"
    assert path.read_bytes() == before
    write(bytes(path), Change(genres=("Rock",)), NOW)
    assert read(bytes(path)).genres == ("Rock",)


def test_the_old_version_of_id3_has_shorter_names(music):
    path = music("v23.mp3")
    content = path.read_bytes()
    body = b"TT2" + (5).to_bytes(3, "big") + b"\0name"
    sound = content[10 + sum(byte << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True)) :]
    path.write_bytes(b"ID3\2\0\0" + bytes([0, 0, 0, len(body)]) + body + sound)
    write(bytes(path), BOTH, NOW)
    assert b"TBP\0\0\5\x00128\0" in path.read_bytes()
    media = mediafile.MediaFile(path)
    assert (media.bpm, media.initial_key, media.title) == (128, "C#m", "name")
