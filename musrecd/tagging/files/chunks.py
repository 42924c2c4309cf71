"""Files made of chunks, with an ID3 tag in one of them: WAV, AIFF, DSDIFF, and DSF, which has it at its end.

References: EA IFF 85, Multimedia Programming Interface 1.0 (RIFF), DSDIFF 1.5, DSF 1.01.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from musrecd.errors import TagError
from musrecd.tagging.files import id3
from musrecd.tagging.files.model import Edit, Layout, Source, Tag, broken

_DSF_HEADER = 28


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a family of chunk formats counts: `size` as struct names it, and what its ID3 chunk is called."""

    size: str
    names: tuple[bytes, ...]

    @property
    def head(self) -> int:
        """Bytes of the head of a chunk."""
        return 4 + struct.calcsize(self.size)


_KINDS = {
    b"RIFF": _Kind("<I", (b"id3 ", b"ID3 ")),
    b"FORM": _Kind(">I", (b"ID3 ",)),
    b"FRM8": _Kind(">Q", (b"ID3 ",)),
}


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    offset: int
    size: int
    whole: int


def layout(source: Source) -> Layout:
    """Return the ID3 tag in a chunk of its own. Raises TagError if sizes of chunks lie."""
    kind = _KINDS.get(source.at(0, 4))
    if kind is None:
        raise broken("no chunks")
    declared = struct.unpack(kind.size, source.at(4, kind.head - 4))[0]
    if declared + kind.head != source.size:
        raise broken("the size in its header is not that of the file")
    chunks = _chunks(source, kind)
    found = [chunk for chunk in chunks if chunk.name in kind.names]
    if len(found) > 1:
        raise TagError("it has two ID3 tags; players disagree about which counts", "two tags")
    return Layout((_existing(source, kind, found[0]) if found else _missing(source, kind),))


def _chunks(source: Source, kind: _Kind) -> list[_Chunk]:
    chunks, at = [], kind.head + 4
    while at < source.size:
        header = source.at(at, kind.head)
        name, size = header[:4], struct.unpack(kind.size, header[4:])[0]
        whole = kind.head + size + size % 2
        if at + whole > source.size or not (name.isascii() and name.decode().isprintable()):
            raise broken("its chunks do not add up")
        chunks.append(_Chunk(name, at, size, whole))
        at += whole
    return chunks


def _existing(source: Source, kind: _Kind, chunk: _Chunk) -> Tag:
    begin = chunk.offset + kind.head
    words, fields, padding, size = id3.parse_tag(source, begin)
    rest = source.at(begin + size, chunk.size - size) if size <= chunk.size else b"?"
    if rest.strip(b"\0"):
        raise broken("its ID3 tag is not as long as its chunk")

    def rebuild(new: Sequence[bytes] | None, wanted: int | None) -> list[Edit]:
        data = b"" if new is None else _chunk(kind, chunk.name, id3.resized(words, new, wanted, size) + rest)
        return _with_size(source, kind, Edit(chunk.offset, chunk.whole, data))

    return Tag("id3v2", True, tuple(fields), padding, words, rebuild)


def _missing(source: Source, kind: _Kind) -> Tag:
    words = id3.Id3Words(4)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        if not new:
            return []
        chunk = _chunk(kind, kind.names[0], id3.render(words, new, 0))
        return _with_size(source, kind, Edit(source.size, 0, chunk))

    return Tag("id3v2", False, (), None, words, rebuild)


def _chunk(kind: _Kind, name: bytes, data: bytes) -> bytes:
    return name + struct.pack(kind.size, len(data)) + data + bytes(len(data) % 2)


def _with_size(source: Source, kind: _Kind, edit: Edit) -> list[Edit]:
    size = source.size + len(edit.data) - edit.length - kind.head
    if kind.head == 8 and size >= 1 << 32:
        raise TagError("it is too long for a tag: its format ends at 4 GiB", "structure")
    return [Edit(4, kind.head - 4, struct.pack(kind.size, size)), edit]


def dsf_layout(source: Source) -> Layout:
    """Return the ID3 tag at the end of a DSF file, which its header points at. Raises TagError."""
    header = source.at(0, _DSF_HEADER)
    own_size, total, pointer = struct.unpack("<QQQ", header[4:])
    if header[:4] != b"DSD " or own_size != _DSF_HEADER or total != source.size:
        raise broken("the size in its header is not that of the file")
    return Layout((_dsf_existing(source, pointer) if pointer else _dsf_missing(source),))


def _dsf_existing(source: Source, at: int) -> Tag:
    words, fields, padding, size = id3.parse_tag(source, at)
    rest = source.at(at + size, source.size - at - size)
    if rest.strip(b"\0"):
        raise broken("its ID3 tag does not end with the file")

    def rebuild(new: Sequence[bytes] | None, wanted: int | None) -> list[Edit]:
        return _dsf_edits(source, at, b"" if new is None else id3.resized(words, new, wanted, size) + rest)

    return Tag("id3v2", True, tuple(fields), padding, words, rebuild)


def _dsf_missing(source: Source) -> Tag:
    words = id3.Id3Words(4)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        return _dsf_edits(source, source.size, id3.render(words, new, 0)) if new else []

    return Tag("id3v2", False, (), None, words, rebuild)


def _dsf_edits(source: Source, at: int, data: bytes) -> list[Edit]:
    sizes = struct.pack("<QQ", at + len(data), at if data else 0)
    return [Edit(12, 16, sizes), Edit(at, source.size - at, data)]
