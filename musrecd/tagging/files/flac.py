"""FLAC files: the comment block is replaced, the padding blocks take up the difference.

Reference: RFC 9639, section 8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from musrecd.errors import TagError
from musrecd.tagging.files import vorbis
from musrecd.tagging.files.model import Edit, Layout, Source, Tag, broken
from musrecd.tagging.files.streams import id3v1_genre

_STREAMINFO, _PADDING, _COMMENT = 0, 1, 4
_LAST = 0x80
_MOST = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class _Block:
    offset: int
    kind: int
    is_last: bool
    size: int


def layout(source: Source) -> Layout:
    """Return the comment of a FLAC file. Raises TagError."""
    if source.at(0, 4) != b"fLaC":
        raise TagError("it is a FLAC file behind another tag; players disagree about which counts", "two tags")
    blocks = _blocks(source)
    comments = [block for block in blocks if block.kind == _COMMENT]
    if blocks[0].kind != _STREAMINFO or len(comments) > 1:
        raise broken("not one STREAMINFO and at most one comment block")
    paddings = [block for block in blocks if block.kind == _PADDING]
    pad = paddings[-1] if paddings else None
    tag = _existing(source, comments[0], pad) if comments else _missing(blocks[0])
    return Layout((tag,), id3v1_genre(source))


def _blocks(source: Source) -> list[_Block]:
    blocks: list[_Block] = []
    at = 4
    while not blocks or not blocks[-1].is_last:
        header = source.at(at, 4)
        block = _Block(at, header[0] & 0x7F, bool(header[0] & _LAST), int.from_bytes(header[1:], "big"))
        blocks.append(block)
        at += 4 + block.size
    if at >= source.size or source.at(at, 2)[0] != 0xFF:
        raise broken("its blocks do not lead to the sound")
    return blocks


def _existing(source: Source, block: _Block, pad: _Block | None) -> Tag:
    comment = vorbis.parse(source.at(block.offset + 4, block.size))

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        data = comment.render(new or ())
        edits = [Edit(block.offset, 4 + block.size, _header(_COMMENT, block.is_last, len(data)) + data)]
        if pad is not None:
            size = pad.size - (len(data) - block.size) if padding is None else padding
            size = min(max(0, size), _MOST)
            edits.append(Edit(pad.offset, 4 + pad.size, _header(_PADDING, pad.is_last, size) + bytes(size)))
        return sorted(edits, key=lambda edit: edit.offset)

    return Tag("vorbis", True, comment.entries, pad.size if pad else None, vorbis.VorbisWords(), rebuild)


def _missing(first: _Block) -> Tag:
    end = first.offset + 4 + first.size

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        if not new:
            return []
        data = vorbis.empty().render(new)
        no_longer_last = Edit(first.offset, 1, bytes([_STREAMINFO]))
        return [no_longer_last, Edit(end, 0, _header(_COMMENT, first.is_last, len(data)) + data)]

    return Tag("vorbis", False, (), None, vorbis.VorbisWords(), rebuild)


def _header(kind: int, is_last: bool, size: int) -> bytes:
    if size > _MOST:
        raise TagError("its comment block is full", "structure")
    return bytes([kind | (_LAST if is_last else 0)]) + size.to_bytes(3, "big")
