"""MP4 files: items of the list that iTunes invented (moov.udta.meta.ilst), and the offsets that move with it.

References: ISO/IEC 14496-12, QuickTime File Format.
"""

import struct
from collections.abc import Sequence
from typing import ClassVar

from mutagen.id3 import TCON

from musrecd.errors import TagError
from musrecd.tagging.files.model import GENRE, KEY, MOOD, OTHER_NAMES, TEMPO, Edit, Layout, Source, Tag, broken
from musrecd.tagging.files.mp4atoms import HEAD, Atom, atom_bytes, atoms_within, moved_offsets, resized_head

_GENRE_TEXT, _GENRE_NUMBER, _TEMPO, _FREE_FORM = b"\xa9gen", b"gnre", b"tmpo", b"----"
_ITEMS = {_GENRE_TEXT: GENRE, _GENRE_NUMBER: GENRE, _TEMPO: TEMPO}
_MEAN = b"com.apple.iTunes"
_NAMES = {MOOD: b"MOOD", KEY: b"initialkey"}
_TOPICS = OTHER_NAMES | {"mood": MOOD, "initialkey": KEY, "bpm": TEMPO}
_UTF8, _INTEGER = 1, 21
_FASTEST = 0xFFFF
# Handler of the metadata list: what the list's items are.
_HANDLER = atom_bytes(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))


class Mp4Words:
    """Items of the list: genres as text or as the number of an ID3v1 genre, tempo as a number, others as free forms."""

    version: ClassVar[None] = None

    def topic(self, field: bytes) -> str | None:
        """Return the topic by the item's name; of free forms whoever named them."""
        if field[4:8] == _FREE_FORM:
            return _TOPICS.get(_free_form_name(field).decode("latin-1").lower())
        return _ITEMS.get(field[4:8])

    def values(self, topic: str, fields: Sequence[bytes]) -> tuple[str, ...]:
        """Return the words of all data atoms in the items."""
        words: list[str] = []
        for field in fields:
            is_named_so = field[4:8] != _FREE_FORM or _free_form_name(field).lower() == _NAMES.get(topic, b"").lower()
            for name, data in _children(field[8:]) if is_named_so else []:
                if name == b"data" and len(data) >= 8:
                    words += _words(field[4:8], data[8:])
        return tuple(words)

    def make(self, topic: str, values: Sequence[str], old: Sequence[bytes]) -> list[bytes]:
        """Several words stand in one item, each in a data atom of its own."""
        if not values:
            return []
        if topic == TEMPO:
            return [atom_bytes(_TEMPO, atom_bytes(b"data", struct.pack(">IIH", _INTEGER, 0, _beats(values))))]
        data = b"".join(atom_bytes(b"data", struct.pack(">II", _UTF8, 0) + value.encode()) for value in values)
        if topic == GENRE:
            return [atom_bytes(_GENRE_TEXT, data)]
        names = atom_bytes(b"mean", bytes(4) + _MEAN) + atom_bytes(b"name", bytes(4) + _NAMES[topic])
        return [atom_bytes(_FREE_FORM, names + data)]


def layout(source: Source) -> Layout:
    """Return the list of items of an MP4 file. Raises TagError."""
    top = atoms_within(source, 0, source.size)
    moov = _only(top, b"moov")
    if moov is None:
        raise broken("no moov atom")
    if _is_encrypted(source, moov):
        raise TagError("it is encrypted (DRM)", "encrypted")
    path = [moov]
    for name in (b"udta", b"meta", b"ilst"):
        found = _only(_inside(source, path[-1]), name)
        if found is None:
            break
        path.append(found)
    tag = _existing(source, top, path) if path[-1].name == b"ilst" else _missing(source, top, path)
    return Layout((tag,))


def _inside(source: Source, atom: Atom) -> list[Atom]:
    begin = atom.begin
    if atom.name == b"meta":
        if source.at(begin, 4) != bytes(4):
            raise broken("a metadata atom of another kind")
        begin += 4
    return atoms_within(source, begin, atom.end)


def _only(atoms: list[Atom], name: bytes) -> Atom | None:
    found = [atom for atom in atoms if atom.name == name]
    if len(found) > 1:
        raise TagError(f"it has two {name.decode('latin-1')} atoms; players disagree about which counts", "two tags")
    return found[0] if found else None


def _existing(source: Source, top: list[Atom], path: list[Atom]) -> Tag:
    ilst, beside = path[-1], _inside(source, path[-2])
    free = next((atom for atom in beside if atom.offset == ilst.end and atom.name == b"free"), None)
    fields = tuple(source.at(atom.offset, atom.size) for atom in atoms_within(source, ilst.begin, ilst.end))
    region = ilst.size + (free.size if free else 0)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        data = atom_bytes(b"ilst", b"".join(new or ()))
        if free is not None:
            size = max(0, region - len(data) - HEAD) if padding is None else padding
            data += atom_bytes(b"free", bytes(size))
        return _edits(source, top, path[:-1], Edit(ilst.offset, region, data))

    return Tag("mp4", True, fields, free.end - free.begin if free else None, Mp4Words(), rebuild)


def _missing(source: Source, top: list[Atom], path: list[Atom]) -> Tag:
    parent = path[-1]
    inside = _inside(source, parent)
    at = inside[-1].end if inside else parent.begin + (4 if parent.name == b"meta" else 0)

    def rebuild(new: Sequence[bytes] | None, padding: int | None) -> list[Edit]:
        if not new:
            return []
        data = atom_bytes(b"ilst", b"".join(new))
        if parent.name != b"meta":
            data = atom_bytes(b"meta", bytes(4) + _HANDLER + data)
        if parent.name == b"moov":
            data = atom_bytes(b"udta", data)
        return _edits(source, top, path, Edit(at, 0, data))

    return Tag("mp4", False, (), None, Mp4Words(), rebuild)


def _edits(source: Source, top: list[Atom], parents: list[Atom], edit: Edit) -> list[Edit]:
    delta = len(edit.data) - edit.length
    if not delta:
        return [edit]
    heads = [resized_head(source, atom, delta) for atom in parents]
    moved = moved_offsets(source, top, edit.offset, delta)
    return sorted([*heads, edit, *moved], key=lambda each: each.offset)


def _is_encrypted(source: Source, moov: Atom) -> bool:
    """Whether a track says how its sound is protected; a look at the bytes finds that at any depth."""
    data = source.at(moov.begin, moov.size - (moov.begin - moov.offset))
    return b"pssh" in data or b"drms" in data or (b"sinf" in data and b"schm" in data)


def _children(body: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + HEAD <= len(body):
        size = struct.unpack_from(">I", body, at)[0]
        if size < HEAD:
            break
        found.append((body[at + 4 : at + HEAD], body[at + HEAD : at + size]))
        at += size
    return found


def _free_form_name(field: bytes) -> bytes:
    return next((data[4:] for name, data in _children(field[8:]) if name == b"name"), b"")


def _words(item: bytes, data: bytes) -> list[str]:
    if item == _TEMPO:
        return [str(int.from_bytes(data, "big"))] if data else []
    return _number(data) if item == _GENRE_NUMBER else [data.decode("utf-8", "replace")]


def _beats(values: Sequence[str]) -> int:
    """Return the one tempo, as MP4 has it. Raises TagError if it is none."""
    if len(values) != 1 or not values[0].isdecimal() or int(values[0]) > _FASTEST:
        raise TagError("a tempo has to be a whole number", "words")
    return int(values[0])


def _number(data: bytes) -> list[str]:
    number = int.from_bytes(data, "big") if len(data) == 2 else 0
    return [TCON.GENRES[number - 1]] if 1 <= number <= len(TCON.GENRES) else []
