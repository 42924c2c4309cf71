"""Playlists as extended M3U8 files: made from tracks, and put in place only where they may be and where they differ."""

import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote_from_bytes

from musrecd.config_playlists import PlaylistsConfig
from musrecd.display import printable_path
from musrecd.errors import PlaylistError
from musrecd.types import Track

_HEADER = b"#EXTM3U\n"
_SIGNATURE = b"#MUSREC:"
_SIGNED = re.compile(rb"#EXTM3U\n#MUSREC:([0-9a-f]{16})\n")
_ENDS_OF_LINES = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def content(tracks: Iterable[Track], style: PlaylistsConfig) -> bytes:
    """Write tracks as an M3U8 file, in UTF-8 but for paths that are none; those that `fits_a_line` denies are left out.

    The second line is a digest of the rest, by which `put` tells our own file from one that a person changed.
    """
    lines = b"".join(_entry(track, style) for track in tracks if fits_a_line(track.path, style))
    return _HEADER + _SIGNATURE + _digest(lines) + b"\n" + lines


def fits_a_line(path: bytes, style: PlaylistsConfig) -> bool:
    """Whether a path can stand in a playlist: one that holds an end of line cannot, unless it is encoded as a URL."""
    return style.urlencode or not (b"\n" in path or b"\r" in path)


def put(path: Path, data: bytes) -> bool:
    """Write what `content` made, whole or not at all; False if the file says so already, and it is not touched.

    Raises PlaylistError if it cannot be written, or if the file that is there is not as we left it.
    """
    try:
        path = Path(os.path.realpath(path))
        before = path.read_bytes() if _exists(path) else None
        if before == data:
            return False
        if before is not None and not _is_ours(before):
            raise PlaylistError(
                f"{printable_path(bytes(path))} was not written by musrec, or was changed since, and stays as it is; "
                "move it away, or give the playlist another name"
            )
        path.parent.mkdir(exist_ok=True)
        _replace(path, data)
    except OSError as error:
        raise PlaylistError(f"{printable_path(bytes(path))} cannot be written: {error.strerror or error}") from error
    return True


def location(path: bytes, style: PlaylistsConfig) -> bytes:
    """Write the path of a track as a playlist holds it, the way beets' smartplaylist does."""
    if style.relative_to is not None:
        path = os.path.relpath(path, bytes(style.relative_to))
    if style.forward_slash:
        path = path.replace(b"\\", b"/")
    if style.urlencode:
        path = quote_from_bytes(path).encode("ascii")
    line = style.prefix.encode("utf-8") + path
    # Of a file that is called so a player would take the line for a comment, or strip it.
    return b"./" + line if line[:1] in (b"#", b" ", b"\t") else line


def shown_name(track: Track) -> str:
    """Name a track in one line: `Artist - Title`, or its file if it has no title."""
    tags = track.tags
    name = " - ".join(filter(None, (tags.artist, tags.title))) if tags.title else _stem(track.path)
    return _ENDS_OF_LINES.sub(" ", name)


def _stem(path: bytes) -> str:
    return os.path.splitext(os.path.basename(path))[0].decode("utf-8", "replace")


def _entry(track: Track, style: PlaylistsConfig) -> bytes:
    seconds = round(track.duration_s)
    return f"#EXTINF:{seconds},{shown_name(track)}\n".encode("utf-8", "replace") + location(track.path, style) + b"\n"


def _digest(lines: bytes) -> bytes:
    return blake2b(lines, digest_size=8).hexdigest().encode("ascii")


def _is_ours(data: bytes) -> bool:
    found = _SIGNED.match(data)
    return found is not None and found[1] == _digest(data[found.end() :])


def _exists(path: Path) -> bool:
    """Whether there is a file; what is there and is none, such as a folder or a pipe, raises OSError."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise OSError("it is not a file")
    return True


def _replace(path: Path, data: bytes) -> None:
    # Hidden, so that nobody takes it for a playlist; readable for whom the file is to be, since players are others.
    unfinished = path.with_name(f".musrec-{secrets.token_hex(8)}.m3u.tmp")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if path.exists():
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
