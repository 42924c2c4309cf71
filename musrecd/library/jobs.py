"""The queue: files that wait to be heard, the most urgent first and the longest waiting among equals.

Everything here runs within a transaction of `store.Library`. A job ends in the transaction that stores what was
heard, so that no kill leaves a file heard and still waiting, or neither.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from musrecd.library.database import chunks, in_list
from musrecd.types import Job, Priority

# A clock that was set back must not make a job wait for years.
_LONGEST_WAIT_S = 86_400.0

_PUT = """
    INSERT INTO jobs (path, priority, due_at, attempts) VALUES (?, ?, ?, 0)
    ON CONFLICT (path) DO UPDATE
    SET priority = min(priority, excluded.priority), due_at = min(due_at, excluded.due_at), attempts = 0
"""
# What was tried before waits for its next try.
_PUT_PATIENTLY = """
    INSERT INTO jobs (path, priority, due_at, attempts) VALUES (?, ?, ?, 0)
    ON CONFLICT (path) DO UPDATE
    SET priority = min(priority, excluded.priority),
        due_at = CASE WHEN attempts > 0 THEN due_at ELSE min(due_at, excluded.due_at) END
"""
_DUE = """
    SELECT path, priority, attempts FROM jobs WHERE due_at <= ? OR due_at > ? ORDER BY priority, id LIMIT ?
"""


class Jobs:
    """The table `jobs`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, paths: Iterable[bytes], priority: Priority, due_at: float, *, patient: bool) -> None:
        """Let files wait; one that waits already keeps its place, or takes a better one.

        What was tried before begins anew; with `patient` it waits for its next try all the same.
        """
        sql = _PUT_PATIENTLY if patient else _PUT
        self._connection.executemany(sql, ((path, int(priority), due_at) for path in paths))

    def due(self, now: float, number: int) -> list[Job]:
        """Return up to `number` jobs whose time has come at `now`, in seconds since 1970."""
        rows = self._connection.execute(_DUE, [now, now + _LONGEST_WAIT_S, number])
        return [Job(path, Priority(priority), attempts) for path, priority, attempts in rows]

    def postpone(self, path: bytes, due_at: float) -> None:
        """Try one again later; the attempt counts."""
        self._connection.execute("UPDATE jobs SET due_at = ?, attempts = attempts + 1 WHERE path = ?", [due_at, path])

    def remove(self, paths: Sequence[bytes]) -> None:
        """Let files wait no more."""
        for chunk in chunks(paths):
            self._connection.execute(in_list("DELETE FROM jobs WHERE path IN (?*)", chunk), chunk)

    def move(self, source: bytes, destination: bytes) -> None:
        """Follow a file that was renamed."""
        self._connection.execute("UPDATE OR REPLACE jobs SET path = ? WHERE path = ?", [destination, source])
