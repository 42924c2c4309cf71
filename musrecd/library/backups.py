"""Copies of the library beside it: made through SQLite's backup API, numbered, the newest first."""

import os
import re
import sqlite3
from contextlib import closing
from glob import escape
from pathlib import Path

from musrecd.errors import LibraryDamagedError, LibraryError
from musrecd.library.database import (
    BUSY_TIMEOUT_S,
    HELPS,
    connect,
    create_private,
    library_errors,
    schema_version,
    shown,
)

_NUMBERED = re.compile(r"\.backup-(\d+)\Z")


def numbered(path: Path, number: int) -> Path:
    """Name a copy; 1 is the newest, and 0 one that is not turned over yet."""
    return path.with_name(f"{path.name}.backup-{number}")


def newest_sound(path: Path) -> Path | None:
    """Find the newest copy that is whole and of a schema that we know. Raises OSError."""
    found = {int(match[1]): each for each in siblings(path, ".backup-*") if (match := _NUMBERED.search(each.name))}
    return next((each for _, each in sorted(found.items()) if _is_sound(each)), None)


def check_not_emptied(path: Path) -> None:
    """Raise LibraryDamagedError if a library is an empty file and has backups: it would be begun anew unnoticed."""
    with library_errors(path):
        is_empty = path.exists() and path.stat().st_size == 0
    if is_empty and newest_sound(path) is not None:
        raise LibraryDamagedError(f"the library {shown(path)} is empty, but was not: it has backups; {HELPS}")


def siblings(path: Path, ending: str) -> list[Path]:
    """Files beside the library whose names begin with its own; `ending` is a pattern for the rest."""
    return sorted(path.parent.glob(escape(path.name) + ending))


def is_consistent(connection: sqlite3.Connection) -> bool:
    """Whether every page and index of a database is right; reads all of it. Raises sqlite3.Error."""
    return connection.execute("PRAGMA integrity_check(1)").fetchall() == [("ok",)]


def backup(path: Path, destination: Path) -> None:
    """Copy a database that may be in use through SQLite's backup API; whole or not at all.

    Through a connection of its own: SQLite does not copy for one that is in a write transaction. A copy that is
    damaged, because the database is, replaces none that was sound. Raises LibraryError.
    """
    if destination.resolve() == path.resolve():
        raise LibraryError(f"{shown(path)} is the library itself; name another file for the backup")
    unfinished = destination.with_name(destination.name + ".new")
    with library_errors(destination):
        unfinished.unlink(missing_ok=True)
        create_private(unfinished)
        with closing(connect(unfinished, "rw", BUSY_TIMEOUT_S)) as target:
            with closing(connect(path, "rw", BUSY_TIMEOUT_S)) as source:
                source.backup(target, progress=_give_up_when_locked)
            with library_errors(path):
                is_whole = is_consistent(target)
        if not is_whole:
            unfinished.unlink()
            raise LibraryDamagedError(f"the library {shown(path)} is damaged, and so would be its backup")
        os.replace(unfinished, destination)


def _is_sound(path: Path) -> bool:
    try:
        with library_errors(path), closing(connect(path, "ro", BUSY_TIMEOUT_S)) as connection:
            return schema_version(connection, path) > 0 and is_consistent(connection)
    except LibraryError:
        return False


def _give_up_when_locked(status: int, _remaining: int, _total: int) -> None:
    # The busy timeout has passed by then; `Connection.backup` would go on for ever.
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise LibraryError("no backup could be made: the library is in use by another program; try again")
