"""What reader and writer share of SQLite: connections, the schema's number, errors as one line."""

import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, TypeVar

from musrecd.errors import LibraryDamagedError, LibraryError, LibraryUnavailableError

APPLICATION_ID = 0x4D555352  # "MUSR": tells our files from every other SQLite database
SCHEMA_VERSION = 11  # how many steps migrations.py has; here because the reader must not import it
BUSY_TIMEOUT_S = 30.0
# Who writes would rather wait than lose what took long to hear.
PATIENT_TIMEOUT_S = 180.0
# Before this version a reset of the write-ahead log could, rarely, lose a transaction.
WAL_SAFE_FROM = (3, 51, 3)
_MAX_VARIABLES = 500  # older SQLite allows 999 in one statement

_T = TypeVar("_T")
# Runs a statement with its parameters and returns its rows.
Rows: TypeAlias = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]

# The daemon does that at its start and while it runs; see recovery.py.
HELPS = "let `musrecd run` restore the newest backup and hear what is missing in that"
_ADVICE = {
    sqlite3.SQLITE_BUSY: "is in use by another program; try again when that has finished",
    sqlite3.SQLITE_LOCKED: "is in use by another program; try again when that has finished",
    sqlite3.SQLITE_CORRUPT: f"is damaged; {HELPS}",
    sqlite3.SQLITE_NOTADB: f"is not a database; name another file or, if it was the library, {HELPS}",
    sqlite3.SQLITE_FULL: "cannot grow because the disk is full; free some space and try again",
    sqlite3.SQLITE_READONLY: "cannot be written; check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the permissions of the file and its folder",
    sqlite3.SQLITE_PERM: "cannot be opened; check the permissions of the file and its folder",
}
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Said without a code, or with one that has other meanings, too.
_SIGNS_OF_DAMAGE = ("no such table: ", "Could not decode to UTF-8")
_MAY_PASS = frozenset(_ADVICE) - _DAMAGED | {sqlite3.SQLITE_IOERR}


class Closing(ABC):
    """What is closed at the end of its `with` block."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, whatever happened."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give back what is held."""


def shown(path: Path) -> str:
    """Write a path so that it fits on one line: control characters and undecodable bytes escaped."""
    return ascii(str(path)) if not str(path).isprintable() else f"'{path}'"


def explain(error: Exception, path: Path) -> LibraryError:
    """Say in one line what is wrong with the library and what to do."""
    extended = getattr(error, "sqlite_errorcode", None)
    code = extended & 0xFF if extended is not None else None
    reason = " ".join(str(error).split())
    if isinstance(error, sqlite3.Error) and reason.startswith(_SIGNS_OF_DAMAGE):
        code = sqlite3.SQLITE_CORRUPT
    if extended == sqlite3.SQLITE_READONLY_DBMOVED:
        return LibraryDamagedError(f"the library {shown(path)} was moved or replaced while it was in use; try again")
    if code in _DAMAGED:
        kind: type[LibraryError] = LibraryDamagedError
    elif code in _MAY_PASS or isinstance(error, OSError):
        kind = LibraryUnavailableError
    else:
        kind = LibraryError
    return kind(f"the library {shown(path)} {_ADVICE.get(code or 0) or f'cannot be used: {reason}'}")


def damaged(path: Path) -> LibraryDamagedError:
    """Say that a check found damage."""
    return LibraryDamagedError(f"the library {shown(path)} {_ADVICE[sqlite3.SQLITE_CORRUPT]}")


def no_library(path: Path) -> LibraryError:
    """Say that there is none."""
    return LibraryError(
        f"there is no library at {shown(path)} yet; make one with `musrecd scan FOLDER` or `beet analyse`"
    )


@contextmanager
def library_errors(path: Path) -> Iterator[None]:
    """Turn every error of SQLite or the operating system within into a `LibraryError`."""
    try:
        yield
    except (sqlite3.Error, OSError, ValueError, RuntimeError) as error:
        # ValueError: names that the file system cannot hold; RuntimeError: links that go round.
        raise explain(error, path) from error


def resolved(path: Path) -> Path:
    """Follow links in the name of a library, so that its journal and vectors lie beside the file itself.

    What is there and is no regular file is refused: opening a FIFO would wait for ever.
    """
    with library_errors(path):
        path = path.resolve()
        if path.exists() and not path.is_file():
            what = "is a folder" if path.is_dir() else "is not a regular file"
            raise LibraryError(f"the library {shown(path)} {what}; name a file")
        return path


def create_private(path: Path) -> None:
    """Make an empty file that only its owner may read; one that is there is not touched.

    Not even opened: closing a second descriptor of a database would drop the locks that another
    connection of this process holds on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def connect(path: Path, mode: Literal["ro", "rw"], timeout_s: float) -> sqlite3.Connection:
    """Connect to an existing file; as a URI, so that `?`, `#` and `%` in its name mean themselves.

    Transactions are ours to begin and end: the driver would begin them deferred, and a deferred one
    that turns into a writer meets "locked" at once, without waiting.
    """
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)


def schema_version(connection: sqlite3.Connection, path: Path, newest: int = SCHEMA_VERSION) -> int:
    """Read the number of the schema, 0 for an empty file; refuse a foreign or newer one. Writes nothing."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if tables == 0 and application == 0:
        return 0
    if application != APPLICATION_ID:
        raise LibraryError(f"{shown(path)} is a database of another program; name another file")
    if version > newest:
        raise LibraryError(
            f"the library {shown(path)} was made by a newer musrec (schema {version}, "
            f"this one knows {newest}); update musrec"
        )
    return version


def chunks(items: Iterable[_T], size: int = _MAX_VARIABLES) -> Iterator[list[_T]]:
    """Split into lists short enough for the variables of one statement."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def in_list(sql: str, values: Sequence[object]) -> str:
    """Write as many question marks as there are values in place of `(?*)`."""
    return sql.replace("(?*)", f"({','.join('?' * len(values))})")


def bounds(folder: bytes) -> list[bytes]:
    """Return the folder itself, and what lies before and behind all paths in it."""
    begin = folder.rstrip(b"/") + b"/"
    # "0" follows "/": everything between the two begins with the folder and a slash.
    return [folder, begin, begin[:-1] + b"0"]


def wal_is_safe() -> bool:
    """Whether this SQLite may be trusted with a write-ahead log."""
    return sqlite3.sqlite_version_info >= WAL_SAFE_FROM
