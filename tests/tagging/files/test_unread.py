"""A genre in a form that is not read is never filled over; an entry that says nothing is none."""

import struct

import mutagen
import pytest
from mutagen.apev2 import APEBinaryValue, APEExtValue
from mutagen.asf import ASFByteArrayAttribute, ASFUnicodeAttribute
from mutagen.id3 import ID3, TCON

from musrecd.errors import TagError
from musrecd.tagging.files import Change, Rules, read, write
from musrecd.tagging.files.model import GENRE
from musrecd.tagging.policy import Policy
from musrecd.tagging.predict import Prediction
from musrecd.tagging.wishes import Wish, decide_for

ROCK = Change(genres=("Rock",))
NOW = Rules(settle_s=0)


def _asf(key, value):
    def put(path):
        file = mutagen.File(path)
        del file["WM/Genre"]
        file[key] = [value]
        file.save()

    return put


def _ape(value):
    def put(path):
        file = mutagen.File(path)
        file["genre"] = value
        file.save()

    return put


def _gnre(path):
    """The number of a genre that no list has."""
    content = path.read_bytes()
    at = content.index(b"\xa9gen") - 4
    size = struct.unpack(">I", content[at : at + 4])[0]
    item = struct.pack(">I", size) + b"gnre" + struct.pack(">I", size - 8) + b"data" + bytes(8) + b"\xff" * (size - 24)
    path.write_bytes(content[:at] + item + content[at + size :])


def _encrypted_frame(path):
    """A frame that says it is encrypted."""
    content = bytearray(path.read_bytes())
    content[content.index(b"TCON") + 9] |= 0x04
    path.write_bytes(content)


UNREAD = {
    "bytes in WMA": ("wma.wma", _asf("WM/Genre", ASFByteArrayAttribute(b"R\0o\0c\0k\0"))),
    "number in WMA": ("wma.wma", _asf("WM/GenreID", ASFUnicodeAttribute("(17)"))),
    "link in APE": ("ape.wv", _ape(APEExtValue("http://example.org/genre"))),
    "bytes in APE": ("ape.wv", _ape(APEBinaryValue(b"\0\1"))),
    "number in MP4": ("aac.m4a", _gnre),
    "encrypted in ID3": ("v24.mp3", _encrypted_frame),
}


@pytest.mark.parametrize("form", UNREAD)
def test_a_genre_that_is_not_read_is_never_filled_over(music, form):
    name, put = UNREAD[form]
    path = music(name)
    put(path)
    before, tags = path.read_bytes(), read(bytes(path))
    assert (tags.genres, tags.unread) == ((), (GENRE,))
    wish = Wish(bytes(path), "", (Prediction("Rock", 0.9, 0.5),), "")
    for manner in ("fill", "extend", "replace"):
        decision = decide_for(wish, tags, Policy(manner, 1), lambda genre, genres: genre in genres)
        assert (decision.genres, decision.why) == (None, "has a genre that is no word")
    with pytest.raises(TagError) as caught:
        write(bytes(path), ROCK, NOW)
    assert caught.value.reason == "other tag"
    assert path.read_bytes() == before


def test_a_number_beside_the_word_is_no_obstacle(music):
    path = music("wma.wma")
    file = mutagen.File(path)
    file["WM/GenreID"] = ["(17)"]
    file.save()
    kept = path.read_bytes()
    written = write(bytes(path), ROCK, NOW)
    assert written.after.genres == ("Rock",)
    write(bytes(path), Change(raw=written.before.raw), NOW)
    assert path.read_bytes() == kept


def _empty_comment(path):
    file = mutagen.File(path)
    file["genre"] = [""]
    file.save()


def _blank_comments(path):
    file = mutagen.File(path)
    file["genre"] = [" ", ""]
    file.save()


def _empty_frame(path):
    tag = ID3(path)
    tag["TCON"] = TCON(encoding=3, text=[""])
    tag.save(path)


EMPTY = {
    "vorbis.ogg": _empty_comment,
    "comment.flac": _blank_comments,
    "v24.mp3": _empty_frame,
    "aac.m4a": lambda path: _tagged(path, "\xa9gen", [""]),
    "wma.wma": _asf("WM/Genre", ASFUnicodeAttribute("")),
    "ape.wv": _ape(""),
}


def _tagged(path, key, value):
    file = mutagen.File(path)
    file[key] = value
    file.save()


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_entry_is_no_genre_and_comes_back_with_undo(music, name):
    path = music(name)
    EMPTY[name](path)
    kept, tags = path.read_bytes(), read(bytes(path))
    assert (tags.genres, tags.unread) == ((), ())
    wish = Wish(bytes(path), "", (Prediction("Rock", 0.9, 0.5),), "")
    decision = decide_for(wish, tags, Policy("extend", 1), lambda genre, genres: genre in genres)
    assert decision.genres == ("Rock",)
    written = write(bytes(path), ROCK, NOW)
    assert read(bytes(path)).genres == ("Rock",)
    write(bytes(path), Change(raw=written.before.raw), NOW)
    assert path.read_bytes() == kept
