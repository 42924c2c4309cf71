"""Vorbis comments as raw entries, as FLAC, Ogg Vorbis, Opus and Speex have them.

Reference: xiph.org/vorbis/doc/v-comment.html.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from musrecd.tagging.files.model import GENRE, KEY, MOOD, OTHER_NAMES, TEMPO, broken

_NAMES = {GENRE: "GENRE", MOOD: "MOOD", TEMPO: "BPM", KEY: "INITIALKEY"}
_TOPICS = OTHER_NAMES | {name.lower(): topic for topic, name in _NAMES.items()}
_VENDOR = b"musrec"


class VorbisWords:
    """Entries `KEY=word`, one for each word, without their length."""

    version: ClassVar[None] = None

    def topic(self, field: bytes) -> str | None:
        """Keys are compared without case."""
        return _TOPICS.get(_name(field)) if b"=" in field else None

    def values(self, topic: str, fields: Sequence[bytes]) -> tuple[str, ...]:
        """Return the words behind the keys."""
        own = [field for field in fields if _name(field) == _NAMES[topic].lower()]
        return tuple(field.partition(b"=")[2].decode("utf-8", "replace") for field in own)

    def make(self, topic: str, values: Sequence[str], old: Sequence[bytes]) -> list[bytes]:
        """Return entries with the key as it was written before."""
        key = old[0].partition(b"=")[0] if old else _NAMES[topic].encode()
        return [key + b"=" + value.encode() for value in values]


@dataclass(frozen=True, slots=True)
class Comment:
    """A Vorbis comment: vendor, entries, and the bytes behind them (framing bit, padding)."""

    vendor: bytes
    entries: tuple[bytes, ...]
    tail: bytes

    def render(self, entries: Sequence[bytes]) -> bytes:
        """Return its bytes with other entries."""
        parts = [struct.pack("<I", len(self.vendor)), self.vendor, struct.pack("<I", len(entries))]
        for entry in entries:
            parts += [struct.pack("<I", len(entry)), entry]
        return b"".join(parts) + self.tail


def _name(field: bytes) -> str:
    return field.partition(b"=")[0].decode("latin-1").lower()


def parse(data: bytes) -> Comment:
    """Cut a comment into its parts. Raises TagError."""
    vendor, at = _sized(data, 0)
    if at + 4 > len(data):
        raise broken("its comments end too early")
    [n_entries] = struct.unpack_from("<I", data, at)
    at += 4
    entries = []
    for _ in range(n_entries):
        entry, at = _sized(data, at)
        entries.append(entry)
    return Comment(vendor, tuple(entries), data[at:])


def empty() -> Comment:
    """Return a comment that says nothing yet."""
    return Comment(_VENDOR, (), b"")


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    if at + 4 > len(data):
        raise broken("its comments end too early")
    end = at + 4 + struct.unpack_from("<I", data, at)[0]
    if end > len(data):
        raise broken("a comment is too long")
    return data[at + 4 : end], end
