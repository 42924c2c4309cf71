"""Files that are a bare stream of sound with tags before and behind it: MP3, TTA, WavPack, Monkey's, Musepack, TAK.

Before: ID3v2. Behind, in any order: APEv2, Lyrics3, ID3v1. The poor and old ID3v1 is never touched: it can name one
genre of a list from 1996, and programs that read it have read the other tag first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from musrecd.errors import TagError
from musrecd.tagging.files import ape, id3
from musrecd.tagging.files.model import Edit, Layout, Source, Tag

_ID3V1, _ID3V1_EXTENDED = 128, 227
_NO_GENRE = 255


@dataclass(frozen=True, slots=True)
class _Tail:
    """What lies behind the sound: where it begins, the APE tag and the bytes of ID3v1 if there are any."""

    begin: int
    ape: Tag | None
    id3v1: bytes


def id3_layout(source: Source) -> Layout:
    """Return the tags of a file whose chief tag is ID3v2. Raises TagError."""
    tail = _tail(source)
    there = _leading_id3(source)
    # A tag that holds no more than what was taken from an ID3v1 may be one that we made.
    fresh = id3.fresh_frames(tail.id3v1) if tail.id3v1 else ()
    chief = replace(there, fresh=fresh) if there else _new_id3(fresh)
    return Layout(tuple(tag for tag in (chief, tail.ape) if tag), id3v1_genre(source))


def ape_layout(source: Source) -> Layout:
    """Return the tags of a file whose chief tag is APEv2. Raises TagError."""
    tail = _tail(source)
    chief = tail.ape or ape.new_tag(source.size - len(tail.id3v1))
    return Layout(tuple(tag for tag in (chief, _leading_id3(source)) if tag), id3v1_genre(source))


def id3v1_genre(source: Source) -> int | None:
    """Return the number of the genre in the ID3v1 tag, None without one."""
    tail = source.at(source.size - _ID3V1, _ID3V1) if source.size >= _ID3V1 else b""
    return tail[-1] if tail[:3] == b"TAG" and tail[-1] != _NO_GENRE else None


def _leading_id3(source: Source) -> Tag | None:
    if source.at(0, min(3, source.size)) != b"ID3":
        return None
    tag, end = id3.tag_at(source, 0)
    if end + id3.HEADER <= source.size and source.at(end, 3) == b"ID3":
        raise TagError("it has two ID3 tags in a row; players disagree about which counts", "two tags")
    if end + 8 <= source.size and source.at(end, 8) == ape.MAGIC:
        raise TagError("it has an APE tag before the sound, which is not written", "two tags")
    return tag


def _new_id3(fresh: tuple[bytes, ...]) -> Tag:
    words = id3.Id3Words(4)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        return [Edit(0, 0, id3.render(words, new, 0))] if new else []

    return Tag("id3v2", False, (), None, words, rebuild, fresh)


def _tail(source: Source) -> _Tail:
    if source.size >= 8 and source.at(0, 8) == ape.MAGIC:
        raise TagError("it has an APE tag before the sound, which is not written", "two tags")
    end, id3v1, found = source.size, b"", None
    while True:
        if not id3v1 and _has(source, end - _ID3V1, b"TAG"):
            id3v1, end = source.at(end - _ID3V1, _ID3V1), end - _ID3V1
            end -= _ID3V1_EXTENDED if _has(source, end - _ID3V1_EXTENDED, b"TAG+") else 0
        elif _has(source, end - ape.FRAME, ape.MAGIC):
            if found:
                raise TagError("it has two APE tags; players disagree about which counts", "two tags")
            found, end = ape.tag_before(source, end)
        elif size := _lyrics3(source, end):
            end -= size
        else:
            return _Tail(end, found, id3v1)


def _has(source: Source, at: int, magic: bytes) -> bool:
    return at >= 0 and at + len(magic) <= source.size and source.at(at, len(magic)) == magic


def _lyrics3(source: Source, end: int) -> int:
    """Bytes of the Lyrics3 tag that ends here, 0 without one."""
    if not _has(source, end - 9, b"LYRICS200") or end < 15:
        return 0
    digits = source.at(end - 15, 6)
    return int(digits) + 15 if digits.isdigit() and int(digits) + 15 <= end else 0
