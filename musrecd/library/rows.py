"""Rows of one encoder as records of bytes, made of the database: what the files beside it repeat."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from musrecd.library.database import chunks, in_list
from musrecd.library.encoding import slot

# numpy.typing takes long to import.
if TYPE_CHECKING:
    import numpy.typing as npt

    Records: TypeAlias = npt.NDArray[np.uint8]
else:
    Records = np.ndarray


_AT_ONCE = 2048


class Layout(NamedTuple):
    """One kind of such files: how its rows are made of the database.

    `select` begins a SELECT from `outputs o`, first `o.id`; `records` makes `n_bytes` of the other columns of each of
    many rows, None if they are damaged; `nothing` stands in their place.
    """

    ending: str
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
            for key, record in self._usable(self.connection.execute(sql, chunk).fetchall()):
                found[key - first] = record
        return found

    def all(self) -> Iterator[bytes]:
        """All records in order, as a stream."""
        return (record for block in self.blocks() for record in block)

    def blocks(self) -> Iterator[list[bytes]]:
        """All records in order, some thousands at a time."""
        first = slot(self.encoder_id, 0)
        sql = f"{self.layout.select} WHERE o.id >= ? AND o.id < ? ORDER BY o.id"
        expected = first
        for chunk in chunks(self.connection.execute(sql, [first, first + self.n_rows]), _AT_ONCE):
            block: list[bytes] = []
            for key, record in self._usable(chunk):
                if key > expected:
                    block += [self.layout.nothing] * (key - expected)
                block.append(record)
                expected = key + 1
            yield block
        yield [self.layout.nothing] * (first + self.n_rows - expected)

    def array(self) -> Records:
        """All rows read from the database (n_rows, n_bytes): slow but right."""
        rows = np.empty((self.n_rows, self.layout.n_bytes), np.uint8)
        begin = 0
        for block in self.blocks():
            rows[begin : begin + len(block)] = np.frombuffer(b"".join(block), np.uint8).reshape(-1, self.layout.n_bytes)
            begin += len(block)
        rows.flags.writeable = False
        return rows

    def damaged(self) -> Iterator[int]:
        """Rows that are damaged in the database."""
        return (row for row, record in enumerate(self.all()) if record == self.layout.nothing)

    def _usable(self, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, bytes]]:
        records = self.layout.records([columns for _, *columns in rows])
        for (key, *_), record in zip(rows, records, strict=True):
            yield key, self.layout.nothing if record is None else record
