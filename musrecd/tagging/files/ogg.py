"""Ogg files: the packet of comments is replaced in the pages it lies in; other pages keep every byte but their number.

Reference: RFC 3533.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from musrecd.errors import TagError
from musrecd.tagging.files import vorbis
from musrecd.tagging.files.model import Edit, Layout, Source, Tag, broken

_HEAD = struct.Struct("<4sBBqIIIB")
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_NUMBER = 18
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_MOST_SEGMENTS, _FULL = 255, 255
# The first bytes of the first packet of a stream → those before the comment in the second.
_CODECS = {b"\1vorbis": b"\3vorbis", b"OpusHead": b"OpusTags", b"Speex   ": b"", b"\x7fFLAC": None}


@dataclass(frozen=True, slots=True)
class _Page:
    offset: int
    flags: int
    position: int
    serial: int
    number: int
    lacing: bytes

    @property
    def head(self) -> int:
        return _HEAD.size + len(self.lacing)

    @property
    def size(self) -> int:
        return self.head + sum(self.lacing)

    @property
    def ends_packet(self) -> bool:
        return bool(self.lacing) and self.lacing[-1] < _FULL


def layout(source: Source) -> Layout:
    """Return the comment of the one stream of sound in an Ogg file. Raises TagError."""
    pages = list(_pages(source))
    serial, codec = _only_stream(source, pages)
    own = [page for page in pages if page.serial == serial]
    if [page.number for page in own] != list(range(own[0].number, own[0].number + len(own))):
        raise broken("pages are missing")
    if pages[-1].offset + pages[-1].size < source.size and not own[-1].flags & _LAST:
        raise broken("its end is missing")
    region = _comment_pages(own)
    data = b"".join(source.at(page.offset + page.head, sum(page.lacing)) for page in region)
    packets = _packets(data, b"".join(page.lacing for page in region))
    before, comment = _comment_of(packets[0], codec)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        rendered = comment.render(new or ())
        start = before[:1] + len(rendered).to_bytes(3, "big") if codec == b"\x7fFLAC" else before
        return _edits(source, own, region, [start + rendered, *packets[1:]])

    return Layout((Tag("vorbis", True, comment.entries, None, vorbis.VorbisWords(), rebuild),))


def _pages(source: Source) -> Iterator[_Page]:
    at = 0
    while at < source.size:
        head = source.at(at, min(_HEAD.size, source.size - at)).ljust(_HEAD.size, b"\0")
        magic, version, flags, position, serial, number, _, n = _HEAD.unpack(head)
        if magic != b"OggS" or version:
            if at and not source.at(at, source.size - at).strip(b"\0"):
                return  # room at the end that was never used
            raise broken("something that is no page stands between its pages")
        page = _Page(at, flags, position, serial, number, source.at(at + _HEAD.size, n))
        if at + page.size > source.size:
            raise broken("its last page is cut off")
        yield page
        at += page.size


def _only_stream(source: Source, pages: list[_Page]) -> tuple[int, bytes]:
    """Return serial number and codec of the stream of sound. Raises TagError if there are several."""
    firsts = [page for page in pages if page.flags & _FIRST]
    if any(page.flags & _FIRST for page in pages[len(firsts) :]):
        raise TagError("it holds several pieces one after the other, each with tags of its own", "two tags")
    found = []
    for page in firsts:
        begin = source.at(page.offset + page.head, min(8, sum(page.lacing)))
        found += [(page.serial, codec) for codec in _CODECS if begin.startswith(codec)]
    if len(found) != 1 or len({page.serial for page in firsts}) != len(firsts):
        raise TagError("it does not hold one stream of sound whose tags are known", "two tags")
    return found[0]


def _comment_pages(own: list[_Page]) -> list[_Page]:
    """Return the pages from behind the first up to one where a packet ends: they hold the comment and whole others."""
    region: list[_Page] = []
    for page in own[1:]:
        region.append(page)
        if page.ends_packet:
            return region
    raise broken("its comment has no end")


def _packets(data: bytes, lacing: bytes) -> list[bytes]:
    packets, begin, end = [], 0, 0
    for size in lacing:
        end += size
        if size < _FULL:
            packets.append(data[begin:end])
            begin = end
    return packets


def _comment_of(packet: bytes, codec: bytes) -> tuple[bytes, vorbis.Comment]:
    magic = _CODECS[codec]
    # In FLAC's it is a metadata block with its header.
    size, is_comment = (4, packet[:1] in (b"\4", b"\x84")) if magic is None else (len(magic), packet.startswith(magic))
    if not is_comment:
        raise broken("its second packet is no comment")
    return packet[:size], vorbis.parse(packet[size:])


def _edits(source: Source, own: list[_Page], region: list[_Page], packets: list[bytes]) -> list[Edit]:
    lacing = b"".join(b"\xff" * (len(packet) // _FULL) + bytes([len(packet) % _FULL]) for packet in packets)
    shares = _shares(len(lacing), [len(page.lacing) for page in region])
    data, edits, number, is_continued = b"".join(packets), [], region[0].number, False
    for index, share in enumerate(shares):
        own_lacing, lacing = lacing[:share], lacing[share:]
        size = sum(own_lacing)
        old = region[min(index, len(region) - 1)]
        flags = old.flags & ~_CONTINUED | (_CONTINUED if is_continued else 0)
        page = _Page(0, flags, _position(old, own_lacing), old.serial, number, own_lacing)
        raw = _render(page, data[:size])
        if index < len(region):
            edits.append(Edit(old.offset, old.size, raw))
        else:
            edits[-1] = Edit(edits[-1].offset, edits[-1].length, edits[-1].data + raw)
        data, number, is_continued = data[size:], number + 1, own_lacing[-1] == _FULL
    if len(shares) > len(region):
        edits += _renumbered(source, own[own.index(region[-1]) + 1 :], len(shares) - len(region))
    return edits


def _position(old: _Page, lacing: bytes) -> int:
    """Return the position of a page; one in which no packet ends has -1."""
    ends, ended = (any(size < _FULL for size in each) for each in (lacing, old.lacing))
    return old.position if ends == ended else 0 if ends else -1


def _shares(n_segments: int, old: list[int]) -> list[int]:
    """Segments for each page: as before where that is possible, so that the number of pages stays the same."""
    n_pages = max(len(old), -(-n_segments // _MOST_SEGMENTS))
    shares: list[int] = []
    for index in range(n_pages):
        pages_left, left = n_pages - index - 1, n_segments - sum(shares)
        wanted = old[index] if index < len(old) else _MOST_SEGMENTS
        wanted = max(wanted, left - pages_left * _MOST_SEGMENTS)
        shares.append(min(wanted, left - pages_left) if pages_left else left)
    if min(shares) < 1:
        raise broken("its comment lies in more pages than it has parts")
    return shares


def _renumbered(source: Source, pages: list[_Page], by: int) -> list[Edit]:
    edits = []
    for page in pages:
        data = source.at(page.offset + page.head, sum(page.lacing))
        moved = _Page(page.offset, page.flags, page.position, page.serial, page.number + by, page.lacing)
        # Number and checksum alone: that times stay is seen by the edit itself.
        edits.append(Edit(page.offset + _NUMBER, 8, _render(moved, data)[_NUMBER : _NUMBER + 8]))
    return edits


def _render(page: _Page, data: bytes) -> bytes:
    def head(checksum: int) -> bytes:
        return _HEAD.pack(b"OggS", 0, page.flags, page.position, page.serial, page.number, checksum, len(page.lacing))

    raw = page.lacing + data
    # Ogg's checksum is zlib's with the bits of each byte, and of the result, the other way round.
    swapped = (head(0) + raw).translate(_MIRROR)
    mirrored = ~zlib.crc32(swapped, 0xFFFFFFFF) & 0xFFFFFFFF
    return head(int(f"{mirrored:032b}"[::-1], 2)) + raw
