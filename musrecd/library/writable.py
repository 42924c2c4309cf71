"""A library opened for writing: made or migrated when it is opened, and changed in transactions."""

import logging
import sqlite3
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from musrecd.library import backups, migrations
from musrecd.library.database import (
    PATIENT_TIMEOUT_S,
    Closing,
    connect,
    create_private,
    library_errors,
    resolved,
    shown,
    wal_is_safe,
)

_log = logging.getLogger(__name__)


class Writable(Closing):
    """What `store.Library` stands on: its connection, and transactions that are whole or did not happen."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        # Plugins of sqlite-utils have no business here and cost time; recursive triggers we have none.
        self._db = Database(connection, execute_plugins=False, recursive_triggers=False)

    @classmethod
    def open(cls, path: Path, *, busy_timeout_s: float = PATIENT_TIMEOUT_S) -> Self:
        """Open the library at `path`, made anew if there is none and migrated if it is an older one."""
        path = resolved(path)
        with library_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            backups.check_not_emptied(path)
            if not path.exists():
                create_private(path)
            library = cls(path, connect(path, "rw", busy_timeout_s))
        try:
            library._prepare()
            library._make_ready()
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Close the connection; an open transaction is undone."""
        self._db.close()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Make everything that is done within one transaction: quicker, and whole or not at all."""
        with self._transaction():
            yield

    @abstractmethod
    def _make_ready(self) -> None:
        """See that everything beside the database is right, too."""

    @abstractmethod
    def _begin(self) -> None:
        """Take note that a transaction begins."""

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._db.conn.in_transaction:  # of `at_once`, which ends it
            yield
            return
        with library_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            self._begin()
            try:
                yield
                self._db.commit()
            finally:
                self._db.rollback()  # does nothing after the commit

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with library_errors(self.path):
            return self._db.execute(sql, parameters).fetchall()

    def _prepare(self) -> None:
        with library_errors(self.path):
            self._db.execute("PRAGMA foreign_keys = ON")
            # A commit survives a power failure, too: the directory entry of the journal is flushed.
            self._db.execute("PRAGMA synchronous = EXTRA")
            migrations.migrate(self._db, self.path)
            self._choose_journal()

    def _choose_journal(self) -> None:
        try:
            if wal_is_safe():
                self._db.enable_wal()
            else:
                self._db.disable_wal()
        except sqlite3.OperationalError as error:  # others have it open: the mode that is set serves, too
            _log.info("journal mode of %s left as it is: %s", shown(self.path), error)
