"""A library opened for reading with the standard library's sqlite3: checked when it is opened, and asked in SQL."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from musrecd.errors import LibraryError
from musrecd.library.backups import check_not_emptied
from musrecd.library.database import (
    BUSY_TIMEOUT_S,
    SCHEMA_VERSION,
    Closing,
    chunks,
    connect,
    in_list,
    library_errors,
    no_library,
    resolved,
    schema_version,
    shown,
)

_NO_ID = 0  # encoders are numbered from 1


class Readable(Closing):
    """What `reader.LibraryReader` stands on: its connection, and queries."""

    def __init__(self, path: Path, connection: sqlite3.Connection, busy_timeout_s: float) -> None:
        self.path = path
        self._connection = connection
        self._busy_timeout_s = busy_timeout_s

    @classmethod
    def open(cls, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Self:
        """Open the library at `path`, which must exist and be of our schema."""
        path = resolved(path)
        with library_errors(path):
            if not path.exists():
                raise no_library(path)
            reader = cls(path, connect(path, "ro", busy_timeout_s), busy_timeout_s)
        try:
            reader._check_schema()
        except BaseException:
            reader.close()
            raise
        return reader

    def close(self) -> None:
        """Close the connection; arrays that were handed out stay valid."""
        self._connection.close()

    def _check_schema(self) -> None:
        self._rows("PRAGMA query_only = ON")
        self._rows("SELECT count(*) FROM sqlite_master")  # puts right what a killed writer left behind
        with library_errors(self.path):
            version = schema_version(self._connection, self.path)
        if version == 0:
            check_not_emptied(self.path)
            raise no_library(self.path)
        if version < SCHEMA_VERSION:
            raise LibraryError(
                f"the library {shown(self.path)} was made by an older musrec; "
                "bring it up to date with `musrecd scan FOLDER` or `beet analyse`"
            )

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with library_errors(self.path):
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_READONLY_ROLLBACK:
                    raise
            # A writer was killed in the middle of a commit. A read-only connection may not undo that
            # half-done transaction, any other does so on its first look.
            with closing(connect(self.path, "rw", self._busy_timeout_s)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return self._connection.execute(sql, parameters).fetchall()

    def _in_chunks(self, sql: str, values: Iterable[Any], *before: object) -> Iterator[tuple[Any, ...]]:
        for chunk in chunks(values):
            yield from self._rows(in_list(sql, chunk), [*before, *chunk])

    def _id_of(self, version: str) -> int:
        found = self._rows("SELECT id FROM encoders WHERE version = ?", [version])
        return int(found[0][0]) if found else _NO_ID
