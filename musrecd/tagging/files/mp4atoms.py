"""Atoms of MP4 files: where they lie, and what has to change in them when others move."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from musrecd.errors import TagError
from musrecd.tagging.files.model import Edit, Source, broken

HEAD = 8
_CONTAINERS = (b"trak", b"mdia", b"minf", b"stbl", b"traf")
_MOST_ATOMS = 100_000


@dataclass(frozen=True, slots=True)
class Atom:
    """An atom from `offset` to `end`; its content starts at `begin`."""

    name: bytes
    offset: int
    begin: int
    end: int

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.end - self.offset


def atom_bytes(name: bytes, data: bytes) -> bytes:
    """Return an atom."""
    return struct.pack(">I", HEAD + len(data)) + name + data


def atoms_within(source: Source, begin: int, end: int) -> list[Atom]:
    """Return the atoms that fill a range without a gap. Raises TagError if they do not."""
    atoms: list[Atom] = []
    at = begin
    while at < end:
        if end - at == 4 and source.at(at, 4) == bytes(4):
            break  # QuickTime ends user data so
        if at + HEAD > end or len(atoms) > _MOST_ATOMS:
            raise broken("its atoms do not add up")
        size, name = struct.unpack(">I4s", source.at(at, HEAD))
        head = HEAD
        if size == 1:
            head, size = 16, struct.unpack(">Q", source.at(at + HEAD, 8))[0]
        elif size == 0 and end == source.size:
            size = end - at
        if size < head or at + size > end:
            raise broken("its atoms do not add up")
        atoms.append(Atom(name, at, at + head, at + size))
        at += size
    return atoms


def resized_head(source: Source, atom: Atom, delta: int) -> Edit:
    """Return the edit that tells an atom its new size. Raises TagError if it has no room for it."""
    size = atom.size + delta
    if source.at(atom.offset, 4) == struct.pack(">I", 1):
        return Edit(atom.offset + HEAD, 8, struct.pack(">Q", size))
    if size >= 1 << 32:
        raise TagError("an atom would become too long", "structure")
    # A size of zero means up to the end of the file, and goes on meaning that.
    is_open = source.at(atom.offset, 4) == bytes(4)
    return Edit(atom.offset, 4, bytes(4) if is_open else struct.pack(">I", size))


def moved_offsets(source: Source, top: list[Atom], place: int, delta: int) -> list[Edit]:
    """Return edits for all offsets in the file that point behind `place`, where it grows by `delta` bytes.

    Raises TagError if an offset would no longer fit, or where offsets are kept that we do not know how to move.
    """
    edits: list[Edit] = []
    for root in (atom for atom in top if atom.name in (b"moov", b"moof", b"mfra")):
        for atom in _leaves(source, root):
            edits += _moved(source, atom, place, delta)
    return edits


def _leaves(source: Source, atom: Atom) -> Iterator[Atom]:
    for child in atoms_within(source, atom.begin, atom.end):
        if child.name in _CONTAINERS:
            yield from _leaves(source, child)
        else:
            yield child


def _moved(source: Source, atom: Atom, place: int, delta: int) -> list[Edit]:
    if atom.name in (b"stco", b"co64"):
        return _table(source, atom, place, delta)
    if atom.name == b"tfhd" and source.at(atom.begin + 3, 1)[0] & 1:
        at = atom.begin + 8
        [offset] = struct.unpack(">Q", source.at(at, 8))
        return [Edit(at, 8, struct.pack(">Q", offset + delta))] if offset > place else []
    if atom.name == b"tfra":
        return _fragments(source, atom, place, delta)
    if atom.name == b"saio":
        raise TagError("it holds offsets of protected sound, which are not moved", "structure")
    return []


def _table(source: Source, atom: Atom, place: int, delta: int) -> list[Edit]:
    [n] = struct.unpack(">I", source.at(atom.begin + 4, 4))
    code = f">{n}{'I' if atom.name == b'stco' else 'Q'}"
    if atom.begin + 8 + n * (4 if atom.name == b"stco" else 8) > atom.end:
        raise broken("a table of offsets is too long")
    offsets = struct.unpack(code, source.at(atom.begin + 8, struct.calcsize(code)))
    moved = [offset + delta if offset > place else offset for offset in offsets]
    try:
        data = struct.pack(code, *moved)
    except struct.error:
        raise TagError("it is too long for its table of offsets", "structure") from None
    return [Edit(atom.begin + 8, len(data), data)] if tuple(moved) != offsets else []


def _fragments(source: Source, atom: Atom, place: int, delta: int) -> list[Edit]:
    """Return edits of the index of fragments: time, offset, and three numbers whose sizes it says itself."""
    head = source.at(atom.begin, 16)
    code = ">Q" if head[0] else ">I"
    width = struct.calcsize(code)
    lengths = head[11]
    step = 2 * width + sum((lengths >> shift & 3) + 1 for shift in (4, 2, 0))
    [n] = struct.unpack(">I", head[12:])
    table = bytearray(source.at(atom.begin + 16, n * step))
    for at in range(width, len(table), step):
        [offset] = struct.unpack_from(code, table, at)
        if offset > place:
            struct.pack_into(code, table, at, offset + delta)
    return [Edit(atom.begin + 16, len(table), bytes(table))] if table else []
