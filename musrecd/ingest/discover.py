"""Find the music files below folders."""

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import filetype

from musrecd.types import FileState

_SUFFIXES = frozenset(
    b".aac .aif .aifc .aiff .alac .ape .asf .au .caf .dsf .flac .m4a .m4b .m4p .mka .mp1 .mp2 .mp3 .mp4 .mpc .oga .ogg "
    b".opus .ra .shn .snd .spx .tak .tta .voc .w64 .wav .wma .wv".split()
)
# What beets ignores on import, and the lock files of office programs.
IGNORED = ("*~", "~$*", "lost+found", "System Volume Information", ".*")
_is_ignored = re.compile("|".join(map(fnmatch.translate, IGNORED)).encode()).match
# What decides beside the disk which files are found.
RULES = repr((sorted(_SUFFIXES), IGNORED, filetype.__version__)).encode()

# A link that leads nowhere, or a file that was just removed.
_NOTHING_THERE = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR)

OnError = Callable[[bytes, str], None]
OnFolder = Callable[[bytes], None]
OnStep = Callable[[], None]
T = TypeVar("T")


def find_files(
    paths: Iterable[bytes],
    on_error: OnError,
    on_folder: OnFolder = lambda path: None,
    on_step: OnStep = lambda: None,
) -> Iterator[FileState]:
    """Yield every music file at or below `paths`, sorted within each folder, each once.

    A path that is itself a file is taken whatever its name; below folders a known suffix is needed or, where
    there is no suffix, a known beginning. Links are followed, loops left. What cannot be read is told to
    `on_error(path, message)` and passed over. `on_folder(path)` is called with every folder that no link led to,
    `on_step()` before everything that a dead disk may never answer.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        absolute = os.path.abspath(path)
        try:
            status = os.stat(absolute)
        except (OSError, ValueError) as error:
            on_error(absolute, f"cannot be read: {getattr(error, 'strerror', None) or error}")
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _below(absolute, seen, on_error, on_folder, on_step)
        else:
            yield _state(absolute, status)


def could_be_music(path: bytes, *, below: bytes) -> bool:
    """Whether a path would be looked at on a walk from the folder `below`, by its name alone."""
    parts = path.removeprefix(below).split(b"/")
    return not any(_is_ignored(part) for part in parts) and _has_possible_suffix(parts[-1])


def is_music(path: bytes) -> bool:
    """Whether a regular file would be taken on a walk: by its suffix, or without one by its first bytes."""
    name = os.path.basename(path)
    return _has_possible_suffix(name) and bool(os.path.splitext(name)[1] or _begins_like_music(path))


def _has_possible_suffix(name: bytes) -> bool:
    suffix = os.path.splitext(name)[1].lower()
    return not suffix or suffix in _SUFFIXES


def _state(path: bytes, status: os.stat_result) -> FileState:
    return FileState(path, status.st_size, status.st_mtime_ns)


def _below(
    folder: bytes, seen: set[tuple[int, int]], on_error: OnError, on_folder: OnFolder, on_step: OnStep
) -> Iterator[FileState]:
    """Walk without recursion, so that no depth of folders is too deep."""
    waiting = [(folder, False)]
    while waiting:
        current, is_linked = waiting.pop()
        on_step()
        try:
            status = os.stat(current)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(current) as listing:
                entries = sorted(_each(listing, on_step), key=lambda entry: entry.name)
        except OSError as error:
            on_error(current, f"cannot be read: {error.strerror}")
            continue
        if not is_linked:
            on_folder(current)
        kept = [entry for entry in entries if not _is_ignored(entry.name)]
        folders = [entry for entry in _each(reversed(kept), on_step) if _is_folder(entry)]
        waiting += [(entry.path, is_linked or entry.is_symlink()) for entry in folders]
        yield from (state for entry in _each(kept, on_step) if (state := _music_file(entry, on_error)))


def _each(items: Iterable[T], on_step: OnStep) -> Iterator[T]:
    for item in items:
        on_step()
        yield item


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _music_file(entry: os.DirEntry[bytes], on_error: OnError) -> FileState | None:
    suffix = os.path.splitext(entry.name)[1].lower()
    if suffix and suffix not in _SUFFIXES:
        return None
    try:
        status = entry.stat()
    except OSError as error:
        if error.errno not in _NOTHING_THERE:
            on_error(entry.path, f"cannot be read: {error.strerror}")
        return None
    if not stat.S_ISREG(status.st_mode) or not (suffix or _begins_like_music(entry.path)):
        return None
    return _state(entry.path, status)


def _begins_like_music(path: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return filetype.audio_match(file.read(512)) is not None
    except OSError:
        return False
