"""The journal of tags: what was written into which file, noted before it is done, and enough to put it back.

A write is noted as begun, durably, before the file is touched, and as done afterwards. What is still begun when
somebody opens the journal anew was interrupted: the file itself tells whether it was written.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from musrecd.library.database import chunks, in_list
from musrecd.library.encoding import now
from musrecd.types import FileState

State: TypeAlias = Literal["begun", "done", "undone"]
Rows: TypeAlias = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]

# The author whose runs nobody means by "the last one".
DAEMON = "daemon"

# How a write was spared when it should have been taken back.
_UNFORCED, _BY_FORCE = 1, 2

_COLUMNS = (
    "id, run, path, audio_id, state, written_at, genres_before, genres_after, file_before, beets_before, beets_after, "
    'source, probability, undoes, moods, bpm, "key", size, mtime_ns'
)


_NEWEST = """
    id IN (SELECT id FROM tag_writes WHERE written_at >= ? AND (? IS NULL OR run = ?) ORDER BY id DESC LIMIT ?)
"""
_INSERT = """
    INSERT INTO tag_writes (id, run, path, audio_id, state, written_at, genres_before, genres_after, file_before,
        beets_before, beets_after, source, probability, undoes, moods, bpm, "key")
    VALUES (?, ?, ?, ?, 'begun', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A write that is about to be made.

    `file_before` is the exact snapshot of the file's fields (see `tagging.files`), None where only beets' database
    is changed. `beets_before` and `beets_after` are the genres in that, None for files that beets does not manage.
    `source` names the model, `probability` is that of the least probable genre written. `undoes` names the write
    that this one takes back. `moods`, `bpm` and `key` are what is written where none was, in the file and in beets'
    database; where a write is taken back, those that are taken away.
    """

    path: bytes
    audio_id: str
    genres_before: tuple[str, ...]
    genres_after: tuple[str, ...]
    file_before: dict[str, Any] | None
    beets_before: tuple[str, ...] | None = None
    beets_after: tuple[str, ...] | None = None
    source: str = ""
    probability: float | None = None
    undoes: int | None = None
    moods: tuple[str, ...] = ()
    bpm: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A write as the journal has it; `file` is how the file was left."""

    number: int
    run: int
    state: State
    written_at: str
    plan: Plan
    file: FileState | None

    @property
    def stands(self) -> bool:
        """Whether it can be taken back: it was made, was not taken back, and took nothing back itself."""
        return self.state == "done" and self.plan.undoes is None


class Journal:
    """The tables `tag_writes` and `tag_runs`, over a connection that commits durably.

    `transaction` begins and ends one; `rows` runs a query and raises LibraryError.
    """

    def __init__(
        self, connection: sqlite3.Connection, transaction: Callable[[], AbstractContextManager[None]], rows: Rows
    ) -> None:
        self._connection, self._transaction, self._rows = connection, transaction, rows

    def next_run(self, author: str) -> int:
        """Return a number for writes that belong together, as those of one command; `author` is who makes them."""
        with self._transaction():
            sql = "INSERT INTO tag_runs (author, begun_at) VALUES (?, ?)"
            return int(self._connection.execute(sql, [author, now()]).lastrowid or 0)

    def begin(self, run: int, plans: Iterable[Plan]) -> list[int]:
        """Note what is about to be written; returns the numbers of the entries. Durable when it returns."""
        with self._transaction():
            return [self._insert(run, plan) for plan in plans]

    def finish(self, done: Iterable[tuple[int, FileState | None]], dropped: Iterable[int] = ()) -> None:
        """Note what was written and how the files were left, if we wrote them; what was not after all is dropped."""
        with self._transaction():
            for number, file in done:
                size, mtime_ns = (file.size, file.mtime_ns) if file else (None, None)
                sql = "UPDATE tag_writes SET state = 'done', size = ?, mtime_ns = ? WHERE id = ?"
                self._connection.execute(sql, [size, mtime_ns, number])
                undo = "UPDATE tag_writes SET state = 'undone' WHERE id = (SELECT undoes FROM tag_writes WHERE id = ?)"
                self._connection.execute(undo, [number])
            self._connection.executemany("DELETE FROM tag_writes WHERE id = ?", ([number] for number in dropped))

    def spare(self, numbers: Iterable[int], *, by_force: bool) -> None:
        """Note that somebody wanted these taken back and they were not: the next time others are meant by "last"."""
        sql = "UPDATE tag_writes SET spared = max(spared, ?) WHERE id = ?"
        with self._transaction():
            self._connection.executemany(sql, ([_BY_FORCE if by_force else _UNFORCED, number] for number in numbers))

    def restore(self, each: Entry) -> None:
        """Add an entry of a copy of this journal under its number, or bring the one that is here up to date."""
        with self._transaction():
            known = self._rows("SELECT 1 FROM tag_writes WHERE id = ?", [each.number])
            number = each.number if known else self._insert(each.run, each.plan, each.number)
            size, mtime_ns = (each.file.size, each.file.mtime_ns) if each.file else (None, None)
            sql = "UPDATE tag_writes SET path = ?, state = ?, written_at = ?, size = ?, mtime_ns = ? WHERE id = ?"
            values = [each.plan.path, each.state, each.written_at, size, mtime_ns, number]
            self._connection.execute(sql, values)

    def begun(self) -> list[Entry]:
        """Return what was interrupted, or is under way."""
        return [entry(row) for row in self._rows(SELECT.format("state = 'begun'"), [])]

    def move(self, source: bytes, destination: bytes) -> None:
        """Follow a file that was renamed, within a transaction."""
        self._connection.execute("UPDATE tag_writes SET path = ? WHERE path = ?", [destination, source])

    def _insert(self, run: int, plan: Plan, number: int | None = None) -> int:
        values = [
            number, run, plan.path, plan.audio_id, now(), json.dumps(plan.genres_before), json.dumps(plan.genres_after),
            _dumped(plan.file_before), _dumped(plan.beets_before), _dumped(plan.beets_after), plan.source,
            plan.probability, plan.undoes, json.dumps(plan.moods), plan.bpm, plan.key,
        ]  # fmt: skip
        return int(self._connection.execute(_INSERT, values).lastrowid or 0)


SELECT = f"SELECT {_COLUMNS} FROM tag_writes WHERE {{}} ORDER BY id"  # noqa: S608  # conditions are ours


def entry(row: Sequence[Any]) -> Entry:
    """Make an entry of a row of `SELECT`."""
    number, run, path, audio_id, state, written_at, before, after, file_before = row[:9]
    beets_before, beets_after, source, probability, undoes, moods, bpm, key, size, mtime_ns = row[9:]
    plan = Plan(
        path, audio_id, tuple(json.loads(before)), tuple(json.loads(after)),
        json.loads(file_before) if file_before else None, _genres(beets_before), _genres(beets_after),
        source, probability, undoes, tuple(json.loads(moods)), bpm, key,
    )  # fmt: skip
    return Entry(number, run, state, written_at, plan, None if size is None else FileState(path, size, mtime_ns))


class JournalReader:
    """Reads the journal; `rows` runs SQL."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def entries(self, *, run: int | None = None, since: str = "", number: int = -1) -> list[Entry]:
        """Return writes, oldest first: of one run, from a time on (ISO, UTC), and only the newest so many."""
        return [entry(row) for row in self._rows(SELECT.format(_NEWEST), [since, run, run, number])]

    def numbered(self, numbers: Iterable[int]) -> dict[int, Entry]:
        """Return the writes of these numbers."""
        return {
            each.number: each
            for chunk in chunks(numbers)
            for each in map(entry, self._rows(SELECT.format(in_list("id IN (?*)", chunk)), chunk))
        }

    def entries_at(self, paths: Iterable[bytes]) -> list[Entry]:
        """Return all writes into these files, oldest first."""
        found = [
            entry(row)
            for chunk in chunks(paths)
            for row in self._rows(SELECT.format(in_list("path IN (?*)", chunk)), chunk)
        ]
        return sorted(found, key=lambda each: each.number)

    def counts(self) -> tuple[int, int]:
        """Count the writes that stand, and the files that wait for theirs."""
        sql = """
            SELECT (SELECT count(*) FROM tag_writes WHERE state = 'done' AND undoes IS NULL),
                (SELECT count(*) FROM tag_jobs)
        """
        [(n_written, n_waiting)] = self._rows(sql, [])
        return int(n_written), int(n_waiting)

    def last_run(self, *, by_force: bool = False) -> int | None:
        """Find the newest run of a person that wrote something which was not taken back; None if there is none.

        What could not be taken back (`spare`) is passed over, unless it may be `by_force`.
        """
        sql = """
            SELECT max(w.run) FROM tag_writes w LEFT JOIN tag_runs r ON r.id = w.run
            WHERE w.state = 'done' AND w.undoes IS NULL AND w.spared < ? AND coalesce(r.author, '') != ?
        """
        [[run]] = self._rows(sql, [_BY_FORCE if by_force else _UNFORCED, DAEMON])
        return None if run is None else int(run)

    def newest(self, audio_ids: Iterable[str]) -> dict[str, list[Entry]]:
        """Find, for each recording, the newest write into each of its files, oldest first."""
        found: dict[str, list[Entry]] = {}
        for chunk in chunks(audio_ids):
            groups = "id IN (SELECT max(id) FROM tag_writes WHERE audio_id IN (?*) GROUP BY audio_id, path)"
            for each in map(entry, self._rows(SELECT.format(in_list(groups, chunk)), chunk)):
                found.setdefault(each.plan.audio_id, []).append(each)
        return found


def _dumped(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None else json.dumps(value)


def _genres(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(json.loads(text))
