"""A damaged library: set aside, the newest sound backup put in its place, and what can still be read saved into that.

Nothing is deleted, and nothing is touched that is not surely our library. What could not be saved is found again by
looking through the folders, and heard again.
"""

import logging
import os
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from musrecd.errors import LibraryDamagedError, LibraryError
from musrecd.library import backups
from musrecd.library.database import (
    APPLICATION_ID,
    BUSY_TIMEOUT_S,
    SCHEMA_VERSION,
    connect,
    library_errors,
    resolved,
    schema_version,
)
from musrecd.library.rowfile import files_beside, is_row_file, sync_folder
from musrecd.library.salvage import salvage
from musrecd.library.store import Library

_log = logging.getLogger(__name__)

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_JOURNALS = ("-journal", "-wal", "-shm")
# Set aside more often than that within a day, it is the disk or the memory that has to be put right.
_MOST_A_DAY = 5
_DAY_S = 86_400.0


def put_right(
    path: Path, error: LibraryDamagedError, *, even_if_sound: bool = False, on_turn: Callable[[], None] = lambda: None
) -> None:
    """Put a sound library at `path`, where `error` was met. Nobody in this process may have it open.

    A library that turns out to be sound stays, unless `even_if_sound`; `on_turn` is called now and then, because this
    may take minutes. Raises `error` if the file is not surely our library or was damaged too often of late, and
    LibraryUnavailableError if its disk is full or cannot be written.
    """
    path = resolved(path)
    with library_errors(path):
        if path.exists():
            if not even_if_sound and is_sound(path):
                _log.info("the library is sound, it is opened again")
                return
            if not is_ours(path):
                raise error
            _refuse_too_often(path, error)
        on_turn()
        restored = _make_restored(path, on_turn)
        _put_in_place(restored, path)


def is_sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a library of a schema that we know."""
    try:
        with library_errors(path), closing(connect(path, "rw", BUSY_TIMEOUT_S)) as connection:
            return schema_version(connection, path) > 0 and backups.is_consistent(connection)
    except LibraryError:
        return False


def is_ours(path: Path) -> bool:
    """Whether a file that SQLite cannot read was our library.

    Its header says so; where that is gone, what lies beside it does: nobody else makes such backups and files of rows.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header:
        return True  # there is nothing that could be anybody's
    if header.startswith(_MAGIC) and len(header) == _HEADER_BYTES:
        version, application = (int.from_bytes(header[offset : offset + 4], "big") for offset in (60, 68))
        return application == APPLICATION_ID and version <= SCHEMA_VERSION
    return backups.newest_sound(path) is not None or any(map(is_row_file, _row_files(path)))


def _refuse_too_often(path: Path, error: LibraryDamagedError) -> None:
    since = time.time() - _DAY_S
    aside = [each for each in _siblings(path, ".damaged-*") if not each.name.endswith(_JOURNALS)]
    if sum(each.stat().st_ctime > since for each in aside) >= _MOST_A_DAY:
        raise LibraryDamagedError(
            f"{error}; it was set aside {_MOST_A_DAY} times within a day: see to the disk and the memory"
        )


def _make_restored(path: Path, on_turn: Callable[[], None]) -> Path:
    """Make the library that is to take the place of the damaged one, beside it."""
    restored = path.with_name(f"{path.name}.restored")
    _remove(restored)
    source = backups.newest_sound(path)
    if source is not None:
        backups.backup(source, restored)
    with Library.open(restored) as library:
        n_saved = salvage(path, library, on_turn) if path.exists() else 0
    what = {"backup": bytes(source)} if source else {"backup": "none"}
    _log.warning("the library is made anew", extra={**what, "saved_from_the_damaged_one": n_saved})
    return restored


def _put_in_place(restored: Path, path: Path) -> None:
    """Set the damaged one aside and take its place at once.

    Its journal goes first: SQLite would take it for that of the new one, and the vectors, which are not as the new
    one has them, last: they are made anew when it is opened.
    """
    if path.exists() and path.stat().st_size:
        aside = _name_aside(path)
        for suffix in _JOURNALS:
            with suppress(FileNotFoundError):
                os.rename(f"{path}{suffix}", f"{aside}{suffix}")
        try:
            os.link(path, aside)
        except OSError:  # a file system without hard links: for a moment there is no library
            os.rename(path, aside)
        _log.warning("the damaged library is set aside", extra={"path": bytes(aside)})
    else:
        for suffix in _JOURNALS:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    os.replace(restored, path)
    _remove(restored)
    for each in _row_files(path):
        each.unlink(missing_ok=True)
    sync_folder(path.parent)


def _name_aside(path: Path) -> Path:
    name = f"{path.name}.damaged-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    number = 1
    while path.with_name(name).exists():
        number += 1
        name = f"{name.partition('Z')[0]}Z-{number}"
    return path.with_name(name)


def _remove(restored: Path) -> None:
    """Remove what a library under this name left behind."""
    for each in (restored, *(Path(f"{restored}{suffix}") for suffix in _JOURNALS), *_row_files(restored)):
        each.unlink(missing_ok=True)


def _row_files(path: Path) -> list[Path]:
    # The library that is being restored has a longer name of the same beginning.
    own = f"{path.name}.restored."
    return [each for each in files_beside(path) if not each.name.startswith(own)]


def _siblings(path: Path, ending: str) -> list[Path]:
    return backups.siblings(path, ending)
