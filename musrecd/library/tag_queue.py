"""Files that were heard and wait for their genres; a small queue beside that of files that wait to be heard."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from musrecd.library.database import chunks, in_list
from musrecd.library.journal import Rows

# A clock that was set back must not make anything wait for years.
_LONGEST_WAIT_S = 86_400.0


class TagQueue:
    """The table `tag_jobs`; times are seconds since 1970."""

    def __init__(
        self, connection: sqlite3.Connection, transaction: Callable[[], AbstractContextManager[None]], rows: Rows
    ) -> None:
        self._connection, self._transaction, self._rows = connection, transaction, rows

    def put(self, paths: Iterable[bytes], due_at: float) -> None:
        """Let files wait from then on; one that waits already keeps its time."""
        with self._transaction():
            sql = "INSERT OR IGNORE INTO tag_jobs VALUES (?, ?, 0)"
            self._connection.executemany(sql, ((path, due_at) for path in paths))

    def due(self, now: float, number: int) -> list[tuple[bytes, int]]:
        """Return up to `number` files whose time has come, with the tries that were made before."""
        sql = "SELECT path, attempts FROM tag_jobs WHERE due_at <= ? OR due_at > ? ORDER BY due_at, path LIMIT ?"
        return self._rows(sql, [now, now + _LONGEST_WAIT_S, number])

    def is_due(self, now: float) -> bool:
        """Whether the time of any has come."""
        return bool(self.due(now, 1))

    def move(self, source: bytes, destination: bytes) -> None:
        """Follow a file that was renamed, within a transaction."""
        self._connection.execute("UPDATE OR REPLACE tag_jobs SET path = ? WHERE path = ?", [destination, source])

    def postpone(self, path: bytes, due_at: float) -> None:
        """Try one again later; the attempt counts."""
        with self._transaction():
            sql = "UPDATE tag_jobs SET due_at = ?, attempts = attempts + 1 WHERE path = ?"
            self._connection.execute(sql, [due_at, path])

    def remove(self, paths: Iterable[bytes]) -> None:
        """Let files wait no more."""
        with self._transaction():
            for chunk in chunks(paths):
                self._connection.execute(in_list("DELETE FROM tag_jobs WHERE path IN (?*)", chunk), chunk)
