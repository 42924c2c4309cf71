"""APEv2 tags as raw items. Reference: wiki.hydrogenaud.io/index.php?title=APEv2_specification."""

import struct
from collections.abc import Sequence
from typing import ClassVar

from musrecd.errors import TagError
from musrecd.tagging.files.model import GENRE, KEY, MOOD, OTHER_NAMES, TEMPO, Edit, Source, Tag, broken

FRAME = 32
MAGIC = b"APETAGEX"
_HAS_HEADER, _NO_FOOTER, _IS_HEADER = 1 << 31, 1 << 30, 1 << 29
_KIND = 0b110
_NAMES = {GENRE: "Genre", MOOD: "Mood", TEMPO: "BPM", KEY: "INITIALKEY"}
_TOPICS = OTHER_NAMES | {name.lower(): topic for topic, name in _NAMES.items()}
_VERSION = 2000


class ApeWords:
    """Items of an APEv2 tag: length, flags, key, NUL, words in UTF-8 with NUL between them."""

    version: ClassVar[None] = None

    def topic(self, field: bytes) -> str | None:
        """Keys are compared without case."""
        return _TOPICS.get(_key(field).decode("latin-1").lower())

    def values(self, topic: str, fields: Sequence[bytes]) -> tuple[str, ...]:
        """Return the words of text items."""
        own = [field for field in fields if _key(field).decode("latin-1").lower() == _NAMES[topic].lower()]
        texts = [field[9 + len(_key(field)) :] for field in own if not field[4] & _KIND]
        return tuple(word for text in texts for word in text.decode("utf-8", "replace").split("\0"))

    def make(self, topic: str, values: Sequence[str], old: Sequence[bytes]) -> list[bytes]:
        """Return one item with the key as it was written before."""
        if not values:
            return []
        key = _key(old[0]) if old else _NAMES[topic].encode()
        text = "\0".join(values).encode()
        return [struct.pack("<II", len(text), 0) + key + b"\0" + text]


def tag_before(source: Source, end: int) -> tuple[Tag, int]:
    """Return the tag whose footer ends at `end`, and where it begins. Raises TagError."""
    footer = source.at(end - FRAME, FRAME)
    version, size, n_items, flags = struct.unpack("<IIII", footer[8:24])
    has_header = bool(flags & _HAS_HEADER)
    begin = end - size - (FRAME if has_header else 0)
    if version != _VERSION or flags & (_NO_FOOTER | _IS_HEADER) or size < FRAME or begin < 0:
        raise broken("an APE tag of another version, or one that does not add up")
    if has_header and source.at(begin, 8) != MAGIC:
        raise broken("an APE tag without its header")
    fields = _split(source.at(end - size, size - FRAME), n_items)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        data = b"" if new is None else _render(new, flags, footer[24:])
        return [Edit(begin, end - begin, data)]

    return Tag("apev2", True, tuple(fields), None, ApeWords(), rebuild), begin


def new_tag(position: int) -> Tag:
    """Return the tag that could be put at a place where none is."""

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        return [Edit(position, 0, _render(new, _HAS_HEADER, bytes(8)))] if new else []

    return Tag("apev2", False, (), None, ApeWords(), rebuild)


def _key(field: bytes) -> bytes:
    return field[8 : field.index(b"\0", 8)]


def _split(body: bytes, n_items: int) -> list[bytes]:
    fields, at = [], 0
    while at < len(body):
        end_of_key = body.find(b"\0", at + 8)
        if end_of_key < 0:
            raise broken("an item of its APE tag has no end")
        end = end_of_key + 1 + struct.unpack_from("<I", body, at)[0]
        if end > len(body):
            raise broken("an item of its APE tag is too long")
        fields.append(body[at:end])
        at = end
    if len(fields) != n_items:
        raise broken("its APE tag says another number of items than it has")
    return fields


def _render(fields: Sequence[bytes], flags: int, reserved: bytes) -> bytes:
    body = b"".join(fields)
    if len(body) + FRAME >= 1 << 31:
        raise TagError("its APE tag is full", "structure")

    def frame(own_flags: int) -> bytes:
        return MAGIC + struct.pack("<IIII", _VERSION, len(body) + FRAME, len(fields), own_flags) + reserved

    header = frame(flags | _IS_HEADER) if flags & _HAS_HEADER else b""
    return header + body + frame(flags)
