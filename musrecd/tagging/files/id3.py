"""ID3v2 tags as raw frames: those that tell the genre are replaced, all others stay byte for byte.

mutagen reads and makes the frames of ours; it is not asked to write the tag, because it would write every frame
anew, turn version 2.2 and 2.3 into 2.4, and drop what it does not know.
Reference: id3.org/id3v2.4.0-structure, id3.org/id3v2.3.0, id3.org/id3v2-00.
"""

import io
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mutagen.id3 import ID3, TBPM, TCON, TKEY, TMOO, TXXX, Frame

from musrecd.errors import TagError
from musrecd.tagging.files.model import GENRE, KEY, MOOD, OTHER_NAMES, TEMPO, Edit, Source, Tag, broken

HEADER = 10
_UNSYNCHRONISED, _EXPERIMENTAL = 0x80, 0x20
_TOPICS = {
    **dict.fromkeys((b"TCON", b"TCO", b"TCO\0"), GENRE), b"TMOO": MOOD,
    **dict.fromkeys((b"TBPM", b"TBP", b"TBP\0"), TEMPO), **dict.fromkeys((b"TKEY", b"TKE", b"TKE\0"), KEY),
}  # fmt: skip
# What is written under a name of its own, and how 2.2 calls it.
_FRAMES = {TEMPO: TBPM, KEY: TKEY}
_SHORT = {b"TCON": b"TCO", b"TXXX": b"TXX", b"TBPM": b"TBP", b"TKEY": b"TKE"}
_USER_NAMES = OTHER_NAMES | {"mood": MOOD, "bpm": TEMPO, "initialkey": KEY}
_USER_TEXT = (b"TXXX", b"TXX", b"TXX\0")
_UTF16, _UTF8 = 1, 3
# mutagen and FFmpeg take time in the square of them.
_MOST_FRAMES = 10_000
# What these begin with would be read as numbers of genres, and is written with one parenthesis more.
_LOOKS_LIKE_NUMBER = re.compile(r"\((\(|(\d+|RX|CR)\))")


def total_size(header: bytes) -> int:
    """Bytes of a whole tag, from its first ten."""
    return HEADER + _from_syncsafe(header[6:10]) + (HEADER if header[5] & 0x10 else 0)


@dataclass(frozen=True, slots=True)
class Id3Words:
    """Frames of one version of ID3v2 (2, 3 or 4). `tail` is what lies behind the padding, where nothing should."""

    version: int
    flags: int = 0
    tail: bytes = b""

    def topic(self, field: bytes) -> str | None:
        """Genre is TCON, tempo TBPM, key TKEY; mood is TMOO, which only 2.4 has, or the user text MOOD."""
        name = field[: 3 if self.version == 2 else 4]
        if name in _USER_TEXT:
            return _USER_NAMES.get(self._description(field).lower())
        return _TOPICS.get(name)

    def values(self, topic: str, fields: Sequence[bytes]) -> tuple[str, ...]:
        """Return the words of the frames as mutagen understands them, numbers of genres resolved."""
        if not fields:
            return ()
        body = b"".join(fields)
        flags = self.flags & _UNSYNCHRONISED if self.version == 4 else 0
        header = b"ID3" + bytes([self.version, 0, flags]) + _syncsafe(len(body))
        tag = ID3(io.BytesIO(header + body), load_v1=False)
        if topic == GENRE:
            return tuple(word for frame in tag.getall("TCON") for word in frame.genres or [""])
        if topic in _FRAMES:
            found = tag.getall(_FRAMES[topic].__name__)
            return tuple(str(word) for frame in found for word in frame.text or [""])
        frames = [*tag.getall("TMOO"), *(frame for frame in tag.getall("TXXX") if frame.desc.lower() == "mood")]
        return tuple(str(word) for frame in frames for word in frame.text or [""])

    def make(self, topic: str, values: Sequence[str], old: Sequence[bytes]) -> list[bytes]:
        """Several words stand in one frame, separated by NUL in all versions: beets reads them back as several."""
        if not values:
            return []
        encoding = 0 if all(value.isascii() for value in values) else _UTF8 if self.version == 4 else _UTF16
        if topic == GENRE:
            text = ["(" + value if _LOOKS_LIKE_NUMBER.match(value) else value for value in values]
            return [self._raw(TCON(encoding=encoding, text=text))]
        if topic in _FRAMES:
            return [self._raw(_FRAMES[topic](encoding=encoding, text=list(values)))]
        if self.version == 4 and not any(field[:4] == b"TXXX" for field in old):
            return [self._raw(TMOO(encoding=encoding, text=list(values)))]
        return [self._raw(TXXX(encoding=encoding, desc="MOOD", text=list(values)))]

    def _raw(self, frame: Frame) -> bytes:
        [raw] = _raw_frames(frame, version=max(3, self.version))
        if self.version > 2:
            return raw
        return _SHORT[raw[:4]] + struct.pack(">I", len(raw) - 10)[1:] + raw[10:]

    def _description(self, field: bytes) -> str:
        body = field[6 if self.version == 2 else 10 :]
        # Long descriptions are none of ours, and frames by the ten thousand must not take long.
        encoding, text = body[:1], body[1:40]
        if encoding in (b"\1", b"\2"):
            return text.decode("utf-16" if encoding == b"\1" else "utf-16-be", "replace").partition("\0")[0]
        return text.partition(b"\0")[0].decode("latin-1")


def parse_tag(source: Source, begin: int) -> tuple[Id3Words, list[bytes], int, int]:
    """Read the tag at `begin`: its words, raw frames, bytes of padding and bytes in all. Raises TagError."""
    header = source.at(begin, HEADER)
    version, flags = header[3], header[5]
    if header[:3] != b"ID3" or version not in (2, 3, 4) or any(byte > 0x7F for byte in header[6:]):
        raise broken("no ID3 tag that is known")
    if flags & ~(_UNSYNCHRONISED | _EXPERIMENTAL):
        raise TagError("its ID3 tag has an extended header or a footer, which are not written", "structure")
    body = source.at(begin + HEADER, _from_syncsafe(header[6:10]))
    if flags & _UNSYNCHRONISED and version < 4:
        plain = _synchronised(body)
        if _unsynchronised(plain) != body:
            raise broken("its ID3 tag is wrongly unsynchronised")
        body = plain
    fields, padding, tail = _split(body, version)
    return Id3Words(version, flags, tail), fields, padding, total_size(header)


def render(words: Id3Words, fields: Sequence[bytes], padding: int) -> bytes:
    """Return the bytes of a whole tag. Raises TagError if it is too long."""
    # Whoever reads frames must meet room before what lies behind it.
    room = bytes(max(padding, HEADER)) + words.tail if words.tail else bytes(padding)
    body = b"".join(fields) + room
    if words.flags & _UNSYNCHRONISED and words.version < 4:
        body = _unsynchronised(body)
    if len(body) >= 1 << 28:
        raise TagError("its ID3 tag is full", "structure")
    return b"ID3" + bytes([words.version, 0, words.flags]) + _syncsafe(len(body)) + body


def resized(words: Id3Words, fields: Sequence[bytes], padding: int | None, size: int) -> bytes:
    """Return a whole tag of `size` bytes, or more if it needs more; or with the padding asked for."""
    if padding is not None:
        return render(words, fields, padding)
    bare = len(render(words, fields, 0))
    # With a tail the least padding is counted already.
    least = HEADER if words.tail else 0
    return render(words, fields, max(least, size - bare + least))


def tag_at(source: Source, begin: int) -> tuple[Tag, int]:
    """Return the tag that lies at `begin` and nowhere else, and where it ends. Raises TagError."""
    words, fields, n_padding, size = parse_tag(source, begin)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        return [Edit(begin, size, b"" if new is None else resized(words, new, padding, size))]

    return Tag("id3v2", True, tuple(fields), n_padding, words, rebuild), begin + size


def fresh_frames(id3v1: bytes) -> tuple[bytes, ...]:
    """Return what an ID3v1 tag says as frames, but for the genre: many players read no ID3v1 beside an ID3v2."""
    tag = ID3(io.BytesIO(id3v1.rjust(256, b"\0")))
    tag.delall("TCON")
    return tuple(_raw_frames(*tag.values(), version=4))


def _raw_frames(*frames: Frame, version: int) -> list[bytes]:
    tag, file = ID3(), io.BytesIO()
    for frame in frames:
        tag.add(frame)
    tag.save(file, v1=0, v2_version=version, v23_sep=None, padding=lambda info: 0)
    return _split(file.getvalue()[HEADER:], version)[0]


def _split(body: bytes, version: int) -> tuple[list[bytes], int, bytes]:
    """Cut the body of a tag into raw frames, the number of bytes of padding, what follows that. Raises TagError."""
    if version == 4:
        ways = [_cut(body, version, _from_syncsafe), _cut(body, version, _from_int)]
        # Some old programs wrote plain sizes into 2.4; where only these make sense, they are meant.
        found = ways[0] or ways[1]
    else:
        found = _cut(body, version, _from_int)
    if found is None:
        raise broken("the frames of its ID3 tag do not add up")
    if len(found[0]) > _MOST_FRAMES:
        raise broken(f"more than {_MOST_FRAMES} frames in its ID3 tag")
    return found


def _cut(body: bytes, version: int, size_of: Callable[[bytes], int]) -> tuple[list[bytes], int, bytes] | None:
    head, name = (6, 3) if version == 2 else (10, 4)
    fields, at = [], 0
    while at + head <= len(body) and body[at : at + name].strip(b"\0"):
        size = size_of(body[at + name : at + 2 * name])
        if size < 0 or at + head + size > len(body) or not body[at : at + name].rstrip(b"\0").isalnum():
            return None
        fields.append(body[at : at + head + size])
        at += head + size
    tail = body[at:].lstrip(b"\0")
    padding = len(body) - at - len(tail)
    return (fields, padding, tail) if not tail or padding >= HEADER else None


def _from_int(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _from_syncsafe(raw: bytes) -> int:
    if any(byte > 0x7F for byte in raw):
        return -1
    size = 0
    for byte in raw:
        size = size << 7 | byte
    return size


def _syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _synchronised(data: bytes) -> bytes:
    return data.replace(b"\xff\0", b"\xff")


def _unsynchronised(data: bytes) -> bytes:
    return re.sub(rb"\xff(?=[\xe0-\xff\0])|\xff\Z", b"\xff\0", data)
