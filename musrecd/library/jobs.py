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

# What was there before and is touched while it waits, or seen once more, has not come since: it does not become new.
_PUT = """
    INSERT INTO jobs (path, priority, due_at, attempts) VALUES (:path, :priority, :due_at, 0)
    ON CONFLICT (path) DO UPDATE
    SET priority = CASE WHEN priority = :backfill AND :priority = :new THEN priority ELSE min(priority, :priority) END,
        due_at = CASE WHEN :patient AND attempts > 0 THEN due_at ELSE min(due_at, :due_at) END,
        attempts = CASE WHEN :patient THEN attempts ELSE 0 END
"""
_MOVE = """
    UPDATE OR REPLACE jobs
    SET path = :destination,
        priority = CASE WHEN priority = :new AND EXISTS (
            SELECT 1 FROM jobs WHERE path = :destination AND priority = :backfill
        ) THEN :backfill ELSE priority END
    WHERE path = :source
"""
_DUE = """
    SELECT path, priority, attempts FROM jobs WHERE due_at <= ? OR due_at > ? ORDER BY priority, id LIMIT ?
"""


class Jobs:
    """The table `jobs`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, paths: Iterable[bytes], priority: Priority, due_at: float, *, patient: bool) -> None:
        """Let files wait; one that waits already keeps its place, or takes a better one, but never becomes new.

        What was tried before begins anew; with `patient` it waits for its next try all the same.
        """
        how = {"priority": int(priority), "due_at": due_at, "patient": patient}
        how |= {"backfill": int(Priority.BACKFILL), "new": int(Priority.NEW)}
        self._connection.executemany(_PUT, ({"path": path, **how} for path in paths))

    def due(self, now: float, number: int) -> list[Job]:
        """Return up to `number` jobs whose time has come at `now`, in seconds since 1970."""
        rows = self._connection.execute(_DUE, [now, now + _LONGEST_WAIT_S, number])
        return [Job(path, Priority(priority), attempts) for path, priority, attempts in rows]

    def postpone(self, path: bytes, due_at: float) -> None:
        """Try one again later; the attempt counts."""
        self._connection.execute("UPDATE jobs SET due_at = ?, attempts = attempts + 1 WHERE path = ?", [due_at, path])

    def defer(self, paths: Iterable[bytes], due_at: float) -> None:
        """Take some later, without having tried."""
        self._connection.executemany("UPDATE jobs SET due_at = ? WHERE path = ?", ((due_at, path) for path in paths))

    def remove(self, paths: Sequence[bytes]) -> None:
        """Let files wait no more."""
        for chunk in chunks(paths):
            self._connection.execute(in_list("DELETE FROM jobs WHERE path IN (?*)", chunk), chunk)

    def move(self, source: bytes, destination: bytes) -> None:
        """Follow a file that was renamed; over one of the backlog, it is of the backlog."""
        paths = {"source": source, "destination": destination}
        known = {"backfill": int(Priority.BACKFILL), "new": int(Priority.NEW)}
        self._connection.execute(_MOVE, paths | known)
