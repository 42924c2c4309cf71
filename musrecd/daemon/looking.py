"""Looks through folders in a process of its own: the daemon keeps its memory and stays awake meanwhile."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from musrecd.errors import LibraryUnavailableError
from musrecd.ingest.discover import find_files
from musrecd.ingest.glance import glance
from musrecd.ingest.vanished import EmptiedError, lies_in, vanished
from musrecd.library.database import chunks
from musrecd.library.looks import Sight
from musrecd.library.reader import LibraryReader
from musrecd.types import FileState, Priority

if TYPE_CHECKING:
    from musrecd.library.store import Library

_AT_ONCE = 5000
# As often as the queue tries what cannot be read; else every look would begin anew.
TRIES_OF_UNREADABLE = 5


@dataclass(frozen=True, slots=True)
class Look:
    """Folders to look through; what nobody heard yet gets `priority`, but is not new where `unread` says so.

    Without `retry_failed` what failed before and did not change is left alone, with it it is what a person asks for.
    Of what lies below `unmounted` folders nothing is concluded.
    """

    library: Path
    version: str
    folders: tuple[bytes, ...]
    retry_failed: bool = False
    priority: Priority = Priority.BACKFILL
    unmounted: tuple[bytes, ...] = ()
    unread: tuple[bytes, ...] = ()

    def priority_of(self, path: bytes) -> Priority:
        """How urgent a file is that nobody heard yet."""
        return max(self.priority, Priority.BACKFILL) if lies_in(path, self.unread) else self.priority


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: music files, folders that would be watched, files that now wait and that vanished.

    `emptied` folders look unmounted, `unread` ones could not be read, each with the reason.
    """

    folders: tuple[bytes, ...]
    n_files: int
    n_folders: int
    n_waiting: int
    n_vanished: int
    emptied: tuple[bytes, ...]
    unread: tuple[tuple[bytes, str], ...]


@dataclass(slots=True)
class _Seen:
    files: set[bytes] = field(default_factory=set)
    n_folders: int = 0
    unread: list[tuple[bytes, str]] = field(default_factory=list)

    def on_folder(self, _path: bytes) -> None:
        self.n_folders += 1

    def on_error(self, path: bytes, message: str) -> None:
        self.unread.append((path, message))


def look_through(look: Look, on_step: Callable[[], None] = lambda: None, *, in_full: bool = False) -> Looked:
    """Let what is new or changed wait to be heard, and mark as missing what is not there any more.

    A folder in which nothing is left of what was known is taken for unmounted and left alone. A look that sees what
    one saw before that found nothing to do does not walk, unless `in_full`. `on_step` is called whenever the disk
    answered. Raises LibraryError.
    """
    if in_full or look.retry_failed or look.unmounted or len(look.folders) != 1:
        return _walk_through(look, on_step)
    sight, noted = glance(look.library, look.folders[0], look.version, on_step)
    if noted is not None:
        n_files, n_folders = noted
        return Looked(look.folders, n_files, n_folders, n_waiting=0, n_vanished=0, emptied=(), unread=())
    return _walk_through(look, on_step, sight)


def _walk_through(look: Look, on_step: Callable[[], None], sight: Sight | None = None) -> Looked:
    # A look that does not walk does without it, which takes long to import.
    from musrecd.library.store import Library

    seen = _Seen()
    n_waiting = 0
    give_up_after = None if look.retry_failed else TRIES_OF_UNREADABLE
    with Library.open(look.library) as library:
        known = _known(look)
        for files in chunks(find_files(look.folders, seen.on_error, seen.on_folder, on_step), _AT_ONCE):
            seen.files.update(file.path for file in files)
            others = [file for file in files if file not in known]
            pending = list(
                library.pending(others, look.version, retry_failed=look.retry_failed, give_up_after=give_up_after)
            )
            _enqueue(library, look, pending)
            n_waiting += len(pending)
            on_step()
        gone, emptied = _gone(look, seen.files, [*look.unmounted, *(path for path, _ in seen.unread)], on_step)
        if gone:
            library.mark_missing(gone)
        n_files, unread = len(seen.files), tuple(seen.unread)
        looked = Looked(look.folders, n_files, seen.n_folders, n_waiting, len(gone), emptied, unread)
        if sight is not None:
            _note(library, looked, sight)
    return looked


def _note(library: "Library", looked: Looked, sight: Sight) -> None:
    if looked.n_waiting or looked.n_vanished or looked.emptied or looked.unread:
        return
    # It only saves a walk; a library that cannot be written now fails no look that has nothing to write.
    with suppress(LibraryUnavailableError):
        library.note_look(os.path.abspath(looked.folders[0]), sight, looked.n_files, looked.n_folders)


def _known(look: Look) -> set[FileState]:
    """Read at once what is heard already and not missing: mostly that is nearly everything."""
    with LibraryReader.open(look.library) as reader:
        return set().union(*(reader.heard_below(os.path.abspath(folder), look.version) for folder in look.folders))


def _enqueue(library: "Library", look: Look, pending: Sequence[FileState]) -> None:
    """Let what nobody heard yet go before what another encoder heard; each in the order of the walk."""
    if not pending:  # nor need the library be written, which may not be possible now
        return
    if look.retry_failed:
        library.enqueue([file.path for file in pending], Priority.ASKED)
    else:
        library.enqueue_pending(pending, look.priority_of, patient=True)


def _gone(
    look: Look, found: set[bytes], unread: Sequence[bytes], on_step: Callable[[], None]
) -> tuple[list[bytes], tuple[bytes, ...]]:
    def is_there(path: bytes) -> bool:
        on_step()
        return os.path.lexists(path)

    gone: list[bytes] = []
    emptied: list[bytes] = []
    for folder in map(os.path.abspath, look.folders):
        try:
            gone += vanished(look.library, folder, found, unread, is_there=is_there)
        except EmptiedError:
            emptied.append(folder)
    return gone, tuple(emptied)
