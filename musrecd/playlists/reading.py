"""Reading what others wrote: M3U, PLS, and plain lists of names, from any system and in any encoding."""

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from musrecd.display import printable_path
from musrecd.errors import PlaylistError

_MOST_BYTES = 16 * 2**20
_M3U = (".m3u", ".m3u8")
_PLS = ".pls"
LIST_SUFFIXES = (*_M3U, _PLS, ".txt")
_PLS_LINE = re.compile(rb"\s*(file|title)(\d+)\s*=\s*(.*)", re.IGNORECASE)
_FILE_URL = re.compile(rb"file:(?://(?:localhost)?)?(?=/)", re.IGNORECASE)
_OTHER_URL = re.compile(rb"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_DRIVE = re.compile(rb"[a-z]:[\\/]|\\\\", re.IGNORECASE)
_ENDING = re.compile(rb"\.\w{1,5}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: an absolute `path`, which need not be there, or None; and the name that stands beside it."""

    path: bytes | None
    name: str = ""


def read_list(path: Path) -> list[Entry]:
    """Read a playlist, or a text with a file or a name such as `Artist - Title` in each line.

    Relative paths are taken from the folder of the list; streams are left out. Raises PlaylistError.
    """
    data = _read(path)
    folder = os.path.dirname(os.path.abspath(bytes(path)))
    lines = [line.strip() for line in data.splitlines()]
    suffix, first = path.suffix.lower(), next(filter(None, lines), b"")
    if suffix == _PLS or first.lower() == b"[playlist]":
        return [_entry(place, name, folder) for place, name in _pls(lines) if not _is_stream(place)]
    if suffix in _M3U or first.startswith(b"#EXTM3U"):
        return [_entry(place, name, folder) for place, name in _m3u(lines) if not _is_stream(place)]
    return [_path_or_name(line, folder) for line in lines if line and not line.startswith(b"#")]


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise PlaylistError(f"{printable_path(bytes(path))} is not a file")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PlaylistError(f"{printable_path(bytes(path))} cannot be read: {error.strerror or error}") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode("utf-8")
    if len(data) > _MOST_BYTES or b"\0" in data:
        raise PlaylistError(f"{printable_path(bytes(path))} is no playlist; these are texts with a path in each line")
    return data.removeprefix(codecs.BOM_UTF8)


def _m3u(lines: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of a place and its name, which stands in the line before."""
    name = b""
    for line in lines:
        if line.startswith(b"#EXTINF:"):
            name = line.partition(b",")[2].strip()
        elif line and not line.startswith(b"#"):
            yield line, name
            name = b""


def _pls(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Pairs of a place and its name, in the order of their numbers."""
    found: dict[bytes, dict[int, bytes]] = {b"file": {}, b"title": {}}
    for match in filter(None, map(_PLS_LINE.fullmatch, lines)):
        found[match[1].lower()][int(match[2][:9])] = match[3]
    return [(place, found[b"title"].get(number, b"")) for number, place in sorted(found[b"file"].items())]


def _entry(place: bytes, name: bytes, folder: bytes) -> Entry:
    path = _path(place, folder)
    # Of a file on a drive of Windows its own name is what is left.
    return Entry(path, _text(name or (b"" if path else _stem(place))))


def _path_or_name(line: bytes, folder: bytes) -> Entry:
    path = None if _is_stream(line) else _path(line, folder)
    is_path = path is not None and (line.startswith(b"/") or _FILE_URL.match(line) or os.path.exists(path))
    return Entry(path) if is_path else Entry(None, _text(line))


def _is_stream(place: bytes) -> bool:
    return bool(_OTHER_URL.match(place)) and not _FILE_URL.match(place)


def _stem(place: bytes) -> bytes:
    return _ENDING.sub(b"", place.replace(b"\\", b"/").rpartition(b"/")[2])


def _path(place: bytes, folder: bytes) -> bytes | None:
    """Find the file that is meant: of the ways to read a place the first that leads to one, or else the first.

    None for one on a drive of Windows, and for what no file can be called.
    """
    if _DRIVE.match(place) or b"%00" in place:
        return None
    if url := _FILE_URL.match(place):
        return os.path.abspath(unquote_to_bytes(place[url.end() :]))
    readings = [os.path.abspath(os.path.join(folder, reading)) for reading in _readings(place)]
    return next(filter(os.path.exists, readings), readings[0])


def _readings(place: bytes) -> list[bytes]:
    """Ways to read a place, the likeliest first: as it stands, from Windows, from an old encoding, from a URL."""
    readings = [place.replace(b"\\", b"/"), place] if b"/" not in place else [place, place.replace(b"\\", b"/")]
    if not _is_utf8(place):
        readings = [each.decode("latin-1").encode("utf-8") for each in readings] + readings
    if b"%" in place:
        readings.append(unquote_to_bytes(place))
    return readings


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _text(data: bytes) -> str:
    return data.decode("utf-8" if _is_utf8(data) else "latin-1")
