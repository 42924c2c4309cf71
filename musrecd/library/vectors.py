"""The embeddings once more, as a flat file to be memory-mapped; row i is `analyses.row == i`.

The BLOBs in the database are the truth and this file can be rebuilt from them at any time. It is written
inside the database transaction and flushed before COMMIT, so that every committed row is in it; what
lies behind the last committed row is of no account. A row that is overwritten could differ from the
database if the power fails in between; its number therefore stands in the header until the commit is
done, and whoever finds it there takes that one row from the database.
"""

import logging
import mmap
import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from musrecd.library.encoding import FLOAT, encoder_from_row, file_name_part, from_blob, intact, slot
from musrecd.types import EncoderInfo, FloatArray

_log = logging.getLogger(__name__)

_MAGIC = b"MUSRECv\x00"
_FORMAT = 1
_FIELDS = struct.Struct("<8sII16sIq")  # magic, format, dim, library uuid, encoder, unsettled row
_CRC = struct.Struct("<I")
HEADER_BYTES = 64
_SETTLED = -1
_SPOT_CHECKS = 8
_BATCH = 2048
_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


class UnsoundError(Exception):
    """The file is missing, too short, damaged or of another library: use the BLOBs and rebuild it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The committed rows of one encoder in the database: the truth that the file repeats."""

    connection: sqlite3.Connection
    encoder_id: int
    dim: int
    n_rows: int

    def one(self, row: int) -> bytes:
        """Embedding BLOB of one row as committed; zeros if it is damaged, which resemble nothing."""
        columns = self.connection.execute(
            "SELECT embedding, probabilities, checksum FROM outputs WHERE id = ?",
            [slot(self.encoder_id, row)],
        ).fetchone()
        return self._usable(columns)

    def all(self) -> Iterator[bytes]:
        """Embedding BLOBs of all rows in order, as a stream."""
        first = slot(self.encoder_id, 0)
        cursor = self.connection.execute(
            "SELECT embedding, probabilities, checksum, id FROM outputs WHERE id >= ? AND id < ? ORDER BY id",
            [first, first + self.n_rows],
        )
        expected = first
        for *columns, key in cursor:
            yield from (self._usable(None) for _ in range(expected, key))
            yield self._usable(columns)
            expected = key + 1
        yield from (self._usable(None) for _ in range(expected, first + self.n_rows))

    def array(self) -> FloatArray:
        """All rows read from the BLOBs (n_rows, dim): slow but right."""
        rows = np.empty((self.n_rows, self.dim), FLOAT)
        for row, blob in enumerate(self.all()):
            rows[row] = from_blob(blob)
        rows.flags.writeable = False
        return rows

    def damaged(self) -> Iterator[int]:
        """Rows whose BLOBs are damaged."""
        zeros = bytes(self.dim * FLOAT.itemsize)  # no unit vector looks like this
        return (row for row, blob in enumerate(self.all()) if blob == zeros)

    def _usable(self, columns: Sequence[Any] | None) -> bytes:
        if columns is not None and intact(columns, self.dim):
            return bytes(columns[0])
        return bytes(self.dim * FLOAT.itemsize)


@dataclass(frozen=True, slots=True)
class VectorFile:
    """The file of one encoder version, beside the database."""

    path: Path
    library_uuid: bytes
    version: str
    dim: int

    def read(self, rows: Rows) -> FloatArray:
        """All rows (n_rows, dim), read-only: mapped if the file is sound, otherwise from the BLOBs."""
        if rows.n_rows == 0:
            return rows.array()
        try:
            return self._map(rows)
        except (OSError, UnsoundError) as error:
            _log.info("reading the vectors from the database: %s", error)
            return rows.array()

    def make_ready(self, rows: Rows, *, thorough: bool = True) -> None:
        """Rebuild or settle the file where needed, within a write transaction.

        `thorough` also compares some rows; without it only header and size are looked at, which an
        append can afford each time.
        """
        try:
            unsettled = self._unsettled(rows.n_rows)
            if _SETTLED < unsettled < rows.n_rows:
                self.append(unsettled, rows.one(unsettled))
            if unsettled != _SETTLED:
                self._write_at(0, self._header(_SETTLED))
            if thorough and rows.n_rows:
                self._map(rows)
        except (FileNotFoundError, UnsoundError) as error:
            if rows.n_rows:
                _log.warning("rebuilding %s: %s", self.path.name, error)
            self.rebuild(rows)

    def is_ready(self, rows: Rows) -> bool:
        """Whether `make_ready` would have nothing to do. Reads only."""
        try:
            settled = self._unsettled(rows.n_rows) == _SETTLED
            if rows.n_rows:
                self._map(rows)
        except (OSError, UnsoundError):
            return False
        return settled

    def append(self, row: int, embedding: bytes) -> None:
        """Write a new row and flush it; the cost does not depend on how many there are."""
        self._write_at(self._size(row), embedding)

    def overwrite(self, row: int, embedding: bytes) -> None:
        """Write a committed row anew; it stays unsettled until the next `make_ready`.

        Not until the commit: only within a write transaction may the header be written.
        """
        self._write_at(0, self._header(row))
        self._write_at(self._size(row), embedding)

    def rebuild(self, rows: Rows) -> None:
        """Write the whole file anew from the BLOBs and put it in place at once.

        Within a write transaction, so that one process does it and the rows stand still. The unfinished
        file always has the same name: one that was left behind by a kill is overwritten.
        """
        unfinished = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb", buffering=_BATCH * self.dim * FLOAT.itemsize) as file:
            file.write(self._header(_SETTLED))
            file.writelines(rows.all())
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.path)
        sync_folder(self.path.parent)

    def _map(self, rows: Rows) -> FloatArray:
        length = self._size(rows.n_rows)
        with open(self.path, "rb", buffering=0) as file:
            unsettled = self._check(file.read(HEADER_BYTES), os.fstat(file.fileno()).st_size, rows.n_rows)
            # Copy on write lets us put one row right for ourselves without touching the file.
            access = mmap.ACCESS_READ if unsettled == _SETTLED else mmap.ACCESS_COPY
            mapped = mmap.mmap(file.fileno(), length, access=access)
        array = np.frombuffer(mapped, FLOAT, rows.n_rows * self.dim, HEADER_BYTES).reshape(-1, self.dim)
        if _SETTLED < unsettled < rows.n_rows:
            array[unsettled] = from_blob(rows.one(unsettled))
        array.flags.writeable = False
        _spot_check(array, rows)
        return array

    def _unsettled(self, n_rows: int) -> int:
        with open(self.path, "rb", buffering=0) as file:
            return self._check(file.read(HEADER_BYTES), os.fstat(file.fileno()).st_size, n_rows)

    def _check(self, header: bytes, n_bytes: int, n_rows: int) -> int:
        if len(header) < HEADER_BYTES or n_bytes < self._size(n_rows):
            raise UnsoundError(f"it has {n_bytes} bytes, expected {self._size(n_rows)}")
        *_, unsettled = _FIELDS.unpack_from(header)
        if header != self._header(unsettled):
            raise UnsoundError("its header is damaged or of another library")
        return int(unsettled)

    def _header(self, unsettled: int) -> bytes:
        encoder = zlib.crc32(self.version.encode("utf-8", "surrogatepass"))
        fields = _FIELDS.pack(_MAGIC, _FORMAT, self.dim, self.library_uuid, encoder, unsettled)
        return (fields + _CRC.pack(zlib.crc32(fields))).ljust(HEADER_BYTES, b"\x00")

    def _size(self, n_rows: int) -> int:
        return HEADER_BYTES + n_rows * self.dim * FLOAT.itemsize

    def _write_at(self, offset: int, data: bytes) -> None:
        # Opened anew each time: another process may have put a rebuilt file in place.
        descriptor = os.open(self.path, os.O_WRONLY)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(descriptor, data[written:], offset + written)
            _fdatasync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class StoredEncoder:
    """An encoder as the database knows it, and the way to its vectors."""

    id: int
    n_rows: int
    library_uuid: str
    info: EncoderInfo

    # Its columns, for `from_columns`.
    SELECT: ClassVar[str] = """
        SELECT id, n_rows, (SELECT value FROM meta WHERE key = 'library_uuid'), version, dim, labels
        FROM encoders WHERE version = ?
    """

    @classmethod
    def from_columns(cls, columns: Sequence[Any]) -> Self:
        """Read it from the columns of `SELECT`."""
        number, n_rows, library_uuid, *encoder = columns
        return cls(number, n_rows, library_uuid, encoder_from_row(*encoder))

    def rows(self, connection: sqlite3.Connection) -> Rows:
        """Get at the committed rows."""
        return Rows(connection, self.id, self.info.dim, self.n_rows)

    def file(self, database: Path) -> VectorFile:
        """Get at the vector file, named after database and encoder version."""
        path = database.with_name(f"{database.name}.{file_name_part(self.info.version)}.vectors")
        return VectorFile(path, bytes.fromhex(self.library_uuid), self.info.version, self.info.dim)


def _spot_check(array: FloatArray, rows: Rows) -> None:
    # A database that was copied, restored or synchronised without this file keeps its uuid, but then the
    # rows differ from some point to the last. A row that is damaged there, all zeros, says nothing of the file.
    for row in {int(row) for row in np.linspace(0, rows.n_rows - 1, _SPOT_CHECKS)}:
        stored = rows.one(row)
        if any(stored) and array[row].tobytes() != stored:
            raise UnsoundError(f"row {row} is not as in the database")


def is_vector_file(path: Path) -> bool:
    """Whether a file begins as ours do, of whatever library and encoder. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder, so that a rename survives a power failure. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
