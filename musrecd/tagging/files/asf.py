"""ASF (WMA) files: descriptors of the Extended Content Description Object. Reference: ASF specification 1.20.03."""

import struct
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from musrecd.errors import TagError
from musrecd.tagging.files.model import GENRE, KEY, MOOD, OTHER_NAMES, TEMPO, Edit, Layout, Source, Tag, broken


def _guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


_HEADER = _guid("75B22630-668E-11CF-A6D9-00AA0062CE6C")
_FILE_PROPERTIES = _guid("8CABDCA1-A947-11CF-8EE4-00C00C205365")
_DESCRIPTION = _guid("D2D0A440-E307-11D2-97F0-00A0C95EA850")
_EXTENSION = _guid("5FBF03B5-A92E-11CF-8EE3-00C00C205365")
_METADATA = (_guid("C5F8CBEA-5BAF-4877-8467-AA8C44FA4CCA"), _guid("44231C94-9498-49D1-A141-1D134E457054"))
_ENCRYPTIONS = (_guid("2211B3FB-BD23-11D2-B4B7-00A0C955FC6E"), _guid("298AE614-2622-4C17-B935-DAE07EE9289C"))
_HEAD, _HEADER_HEAD, _EXTENSION_HEAD = 24, 30, 46
_UNICODE = 0
_NAMES = {GENRE: "WM/Genre", MOOD: "WM/Mood", TEMPO: "WM/BeatsPerMinute", KEY: "INITIALKEY"}
_TOPICS = OTHER_NAMES | {name.lower(): topic for topic, name in _NAMES.items()}
_TOPICS |= {"wm/genreid": GENRE, "bpm": TEMPO, "wm/initialkey": KEY}


@dataclass(frozen=True, slots=True)
class _Object:
    guid: bytes
    offset: int
    size: int


class AsfWords:
    """Content descriptors: name, type and value. A number of a genre (WM/GenreID) goes with the genre."""

    version: ClassVar[None] = None

    def topic(self, field: bytes) -> str | None:
        """Return the topic by the descriptor's name."""
        return _TOPICS.get(_name(field).lower())

    def values(self, topic: str, fields: Sequence[bytes]) -> tuple[str, ...]:
        """Return the words of text descriptors, one each."""
        return tuple(_value(field) for field in fields if _name(field) == _NAMES[topic] and _is_text(field))

    def make(self, topic: str, values: Sequence[str], old: Sequence[bytes]) -> list[bytes]:
        """Return a descriptor for each word."""
        return [_descriptor(_NAMES[topic], value) for value in values]


def layout(source: Source) -> Layout:
    """Return the descriptors of an ASF file. Raises TagError."""
    head = source.at(0, _HEADER_HEAD)
    header_size, n_objects = struct.unpack("<QI", head[16:28])
    if head[:16] != _HEADER:
        raise broken("no ASF header")
    objects = list(_objects(source, _HEADER_HEAD, header_size))
    if len(objects) != n_objects:
        raise broken("its header says another number of objects than it has")
    if any(each.guid in _ENCRYPTIONS for each in objects):
        raise TagError("it is encrypted (DRM)", "encrypted")
    [n_sound] = struct.unpack("<Q", source.at(header_size + 16, 8))
    if header_size + n_sound > source.size:
        raise broken("it is cut off")
    _check_nowhere_else(source, objects)
    found = [each for each in objects if each.guid == _DESCRIPTION]
    if len(found) > 1:
        raise TagError("it has two lists of descriptions; players disagree about which counts", "two tags")
    return Layout((_tag(source, head, objects, found[0] if found else None),))


def _tag(source: Source, head: bytes, objects: list[_Object], own: _Object | None) -> Tag:
    header_size, n_objects = struct.unpack("<QI", head[16:28])
    fields = _split(source.at(own.offset + _HEAD, own.size - _HEAD)) if own else []
    offset, size = (own.offset, own.size) if own else (header_size, 0)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        if own is None and not new:
            return []
        data = b"" if new is None else _render(new)
        delta = len(data) - size
        n = n_objects + (own is None) - (new is None)
        edits = [Edit(16, 12, struct.pack("<QI", header_size + delta, n)), Edit(offset, size, data)]
        return sorted(edits + _file_size(source, objects, delta), key=lambda edit: edit.offset)

    return Tag("asf", own is not None, tuple(fields), None, AsfWords(), rebuild)


def _objects(source: Source, begin: int, end: int) -> Iterator[_Object]:
    at = begin
    while at < end:
        head = source.at(at, _HEAD)
        [size] = struct.unpack("<Q", head[16:])
        if size < _HEAD or at + size > end:
            raise broken("the objects of its header do not add up")
        yield _Object(head[:16], at, size)
        at += size


def _check_nowhere_else(source: Source, objects: list[_Object]) -> None:
    """Fail if the header's extension names a genre, too: readers add those to the others, or prefer them."""
    for extension in (each for each in objects if each.guid == _EXTENSION):
        inner = _objects(source, extension.offset + _EXTENSION_HEAD, extension.offset + extension.size)
        for each in inner:
            text = source.at(each.offset, each.size) if each.guid in _METADATA else b""
            if any(name.encode("utf-16-le") in text for name in ("WM/Genre", "WM/Mood")):
                raise TagError("it names its genre in two places; players disagree about which counts", "two tags")


def _file_size(source: Source, objects: list[_Object], delta: int) -> list[Edit]:
    """Keep the size of the file that stands in its header, if it is true."""
    properties = [each for each in objects if each.guid == _FILE_PROPERTIES and each.size >= _HEAD + 24]
    places = [each.offset + _HEAD + 16 for each in properties]
    now = struct.pack("<Q", source.size)
    return [Edit(at, 8, struct.pack("<Q", source.size + delta)) for at in places if source.at(at, 8) == now]


def _split(body: bytes) -> list[bytes]:
    if len(body) < 2:
        raise broken("its descriptions end too early")
    fields, at = [], 2
    for _ in range(struct.unpack_from("<H", body)[0]):
        begin = at
        for rest in (0, 2):  # the name; behind it the type, then the value
            if at + rest + 2 > len(body):
                raise broken("its descriptions end too early")
            at += rest + 2 + struct.unpack_from("<H", body, at + rest)[0]
        if at > len(body):
            raise broken("a description is too long")
        fields.append(body[begin:at])
    if body[at:].strip(b"\0"):
        raise broken("something stands behind its descriptions")
    return fields


def _render(fields: Sequence[bytes]) -> bytes:
    if len(fields) > 0xFFFF:
        raise TagError("its list of descriptions is full", "structure")
    body = struct.pack("<H", len(fields)) + b"".join(fields)
    return _DESCRIPTION + struct.pack("<Q", _HEAD + len(body)) + body


def _name(field: bytes) -> str:
    return field[2 : 2 + _name_size(field)].decode("utf-16-le", "replace").rstrip("\0")


def _name_size(field: bytes) -> int:
    return int(struct.unpack_from("<H", field)[0])


def _is_text(field: bytes) -> bool:
    return bool(struct.unpack_from("<H", field, 2 + _name_size(field))[0] == _UNICODE)


def _value(field: bytes) -> str:
    return field[6 + _name_size(field) :].decode("utf-16-le", "replace").rstrip("\0")


def _descriptor(name: str, value: str) -> bytes:
    raw_name, raw = (text.encode("utf-16-le") + b"\0\0" for text in (name, value))
    if len(raw) > 0xFFFF:
        raise TagError("a genre is too long for its format", "words")
    return struct.pack("<H", len(raw_name)) + raw_name + struct.pack("<HH", _UNICODE, len(raw)) + raw
