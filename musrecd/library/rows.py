"""Rows of one encoder as records of bytes, made of the database: what the files beside it repeat."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from musrecd.library.database import chunks, in_list
from musrecd.library.encoding import intact, slot

# numpy.typing takes long to import.
if TYPE_CHECKING:
    import numpy.typing as npt

    Records: TypeAlias = npt.NDArray[np.uint8]
else:
    Records = np.ndarray


_AT_ONCE = 2048


class Layout(NamedTuple):
    """One kind of such files: how its rows are made of the database.

    `select` begins a SELECT from `outputs o`: `o.id`, embedding (`dim` numbers), probabilities, checksum, and others.
    `records` makes `n_bytes` of the columns, but for the first, of each of many rows that are as they were stored, None
    if they make no sense; `nothing` stands in the place of what is damaged.
    """

    ending: str
    dim: int
    n_bytes: int
    select: str
    records: Callable[[Sequence[Sequence[Any]]], list[bytes | None]]
    nothing: bytes


class Rows(NamedTuple):
    """The rows of one encoder in the database: the truth that a file repeats."""

    connection: sqlite3.Connection
    encoder_id: int
    n_rows: int
    layout: Layout

    def one(self, row: int) -> bytes:
        """Record of one row."""
        return self.some([row])[row]

    def some(self, rows: Sequence[int]) -> dict[int, bytes]:
        """Record of each of these rows."""
        found = dict.fromkeys(rows, self.layout.nothing)
        first = slot(self.encoder_id, 0)
        for chunk in chunks([first + row for row in rows]):
            sql = in_list(f"{self.layout.select} WHERE o.id IN (?*)", chunk)
            stored = self.connection.execute(sql, chunk).fetchall()
            records = self.records(stored, self.are_sound(stored))
            found.update((key - first, record) for (key, *_), record in zip(stored, records, strict=True))
        return found

    def all(self) -> Iterator[bytes]:
        """All records in order, as a stream."""
        return (record for (block,) in together([self]) for record in block)

    def array(self) -> Records:
        """All rows read from the database (n_rows, n_bytes): slow but right."""
        rows = np.empty((self.n_rows, self.layout.n_bytes), np.uint8)
        begin = 0
        for (block,) in together([self]):
            rows[begin : begin + len(block)] = np.frombuffer(b"".join(block), np.uint8).reshape(-1, self.layout.n_bytes)
            begin += len(block)
        rows.flags.writeable = False
        return rows

    def damaged(self) -> Iterator[int]:
        """Rows that are damaged in the database."""
        return (row for row, record in enumerate(self.all()) if record == self.layout.nothing)

    def are_sound(self, rows: Sequence[Sequence[Any]]) -> list[bool]:
        """Whether each of rows of `select` is as it was stored."""
        return [intact(columns[1:4], self.layout.dim) for columns in rows]

    def records(self, rows: Sequence[Sequence[Any]], are_sound: Sequence[bool]) -> list[bytes]:
        """Return the records of rows of `select`, or of one that begins with its columns."""
        found = iter(self.layout.records([columns[1:] for columns in compress(rows, are_sound)]))
        return [(is_sound and next(found)) or self.layout.nothing for is_sound in are_sound]


def together(several: Sequence[Rows]) -> Iterator[list[list[bytes]]]:
    """Yield all records in order, some thousands at a time, of several layouts of the rows of one encoder.

    They are read once: each layout begins with the columns of those before it.
    """
    *_, widest = several
    first = slot(widest.encoder_id, 0)
    sql = f"{widest.layout.select} WHERE o.id >= ? AND o.id < ? ORDER BY o.id"
    expected = first
    for chunk in chunks(widest.connection.execute(sql, [first, first + widest.n_rows]), _AT_ONCE):
        keys = [key for key, *_ in chunk]
        places = [(at, key - before - 1) for at, (before, key) in enumerate(pairwise([expected - 1, *keys]))]
        gaps = [(at, missing) for at, missing in places if missing]
        are_sound = widest.are_sound(chunk)
        yield [_filled(rows.records(chunk, are_sound), gaps, rows.layout.nothing) for rows in several]
        expected = keys[-1] + 1
    yield [[rows.layout.nothing] * (first + rows.n_rows - expected) for rows in several]


def _filled(records: list[bytes], gaps: Sequence[tuple[int, int]], nothing: bytes) -> list[bytes]:
    """Put as much of `nothing` as is missing before the records at these places."""
    for at, missing in reversed(gaps):
        records[at:at] = [nothing] * missing
    return records
