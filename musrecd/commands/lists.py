"""Lists of music that a person has: playlists, folders, and texts with a name in each line."""

import os
from dataclasses import dataclass
from pathlib import Path

from musrecd.display import printable_path
from musrecd.errors import MusrecError


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: an absolute `path`, which need not be there, or None; and the name that stands beside it."""

    path: bytes | None
    name: str = ""


def entries(path: Path) -> list[Entry]:
    """Read a list. Raises MusrecError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MusrecError(f"{printable_path(bytes(path))} cannot be read: {error.strerror}") from error
    if b"\0" in data:
        raise MusrecError(f"{printable_path(bytes(path))} is no playlist; these are texts with a path in each line")
    folder = os.path.dirname(os.path.abspath(bytes(path)))
    is_playlist = path.suffix.lower() in (".m3u", ".m3u8")
    found, name = [], ""
    for line in map(bytes.strip, data.removeprefix(b"\xef\xbb\xbf").splitlines()):
        if line.startswith(b"#EXTINF:"):
            name = line.partition(b",")[2].decode("utf-8", "replace").strip()
        elif line and not line.startswith(b"#"):
            place = os.path.normpath(os.path.join(folder, line))
            is_path = is_playlist or os.path.lexists(place)
            found.append(Entry(place, name) if is_path else Entry(None, line.decode("utf-8", "replace")))
            name = ""
    return found
