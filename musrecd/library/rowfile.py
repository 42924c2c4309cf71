"""Rows of the database once more, as a flat file to be memory-mapped; row i is `analyses.row == i`.

The database is the truth and such a file can be rebuilt from it at any time. It is written inside the database
transaction and, mostly, not flushed: its header says which rows are not proven to be on the disk as the database has
them. Those are all from some row on, and up to 32 that were written anew. Whoever reads compares these few with the
database, so that neither a transaction that was undone nor a power failure can bring a wrong answer. Now and then the
file is flushed and all its rows are proven. What lies behind the last committed row is of no account.
"""

import logging
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import numpy as np

from musrecd.library.backups import siblings
from musrecd.library.rows import Records, Rows, together

_log = logging.getLogger(__name__)

VECTORS, FEATURES = ENDINGS = ("vectors", "features")
_MAGIC = b"MUSREC"
_FORMAT = 2
_MOST_LISTED = 32
# magic and letter, format, bytes of a row, library uuid, encoder, where the unproven end begins, other unproven rows
_FIELDS = struct.Struct(f"<8sII16sIq{_MOST_LISTED}q")
_CRC = struct.Struct("<I")
# A sector, which disks write whole or not at all.
HEADER_BYTES = 512
_NONE = -1
_SPOT_CHECKS = 8
_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


class UnsoundError(OSError):
    """The file is missing, too short, damaged or of another library: use the database and rebuild it."""


class Proof(NamedTuple):
    """Which rows are on the disk for sure: those before `end`, but for those `listed`."""

    end: int
    listed: tuple[int, ...] = ()

    def unproven(self, n_rows: int) -> list[int]:
        """Rows that have to be compared with the database."""
        return [row for row in self.listed if row < min(self.end, n_rows)] + list(range(self.end, n_rows))

    def n_unproven(self, n_rows: int) -> int:
        """About how many those are."""
        return len(self.listed) + max(0, n_rows - self.end)

    def without(self, row: int) -> Self:
        """Prove one row less, and those behind it, too, if there is no room to name it."""
        if len(self.listed) < _MOST_LISTED:
            return self._replace(listed=(*self.listed, row))
        return self._replace(end=min(row, *self.listed), listed=())


class Mapped(NamedTuple):
    """All rows (n_rows, n_bytes), read-only, and of which `state` of a file they are a view, None if in memory."""

    records: Records
    state: tuple[int, int] | None = None


class RowFile(NamedTuple):
    """The file beside the database that repeats these rows."""

    path: Path
    library_uuid: bytes
    version: str
    rows: Rows

    def read(self, before: Mapped | None = None) -> Mapped:
        """Read all rows: mapped if the file is sound, otherwise from the database.

        What was read `before` is returned itself if it still says the same.
        """
        if self.rows.n_rows == 0:
            return Mapped(self.rows.array())
        try:
            return self._map(before)
        except OSError as error:
            _log.info("reading %s from the database: %s", self.rows.layout.ending, error)
            return Mapped(self.rows.array())

    def prove(self, *, thorough: bool = True, is_committed: bool = True) -> bool:
        """Prove rows where that is due, within a write transaction; False if the file has to be made anew.

        `thorough` also compares rows; without it only header and size are looked at, which each new row can afford.
        Unless all rows are committed nothing is proven by them.
        """
        try:
            with self.path.open("rb", buffering=0) as file:
                proof = self._check(file)
                is_due = proof.n_unproven(self.rows.n_rows) >= _MOST_LISTED
                if thorough and self.rows.n_rows:
                    is_due |= bool(self._differing(self._array(file, mmap.ACCESS_READ), proof))
            if is_due and is_committed:
                self._prove(proof)
        except (FileNotFoundError, UnsoundError) as error:
            if self.rows.n_rows:
                # None at all is what an older musrec left, or somebody who copied the database alone.
                level = logging.INFO if isinstance(error, FileNotFoundError) else logging.WARNING
                _log.log(level, "rebuilding %s: %s", self.path.name, error)
            return False
        return True

    def is_ready(self) -> bool:
        """Whether a thorough `make_ready` would have nothing urgent to do. Reads only."""
        try:
            with self.path.open("rb", buffering=0) as file:
                proof = self._check(file)
                array = self._array(file, mmap.ACCESS_READ) if self.rows.n_rows else None
                differing = {} if array is None else self._differing(array, proof)
        except OSError:
            return False
        return not differing and proof.n_unproven(self.rows.n_rows) <= _MOST_LISTED

    def put(self, row: int) -> None:
        """Write a row as the database has it now, within its transaction, in a file that was made ready.

        The cost does not depend on how many there are. A row that was proven is so no more, which is on the disk
        before it changes.
        """
        record = self.rows.one(row)
        with self.path.open("r+b", buffering=0) as file:
            proof = self._check(file, row)
            if row < proof.end and row not in proof.listed:
                if os.pread(file.fileno(), len(record), self._size(row)) == record:
                    return
                _write_at(file, 0, self._header(proof.without(row)))
                _fdatasync(file.fileno())
            _write_at(file, self._size(row), record)

    @contextmanager
    def anew(self, *, is_committed: bool) -> Iterator[BinaryIO]:
        """Open a file for all records; flushed, it takes the place of the one that is there.

        The unfinished file always has the same name: one that was left behind by a kill is overwritten.
        """
        unfinished = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(self._header(Proof(self.rows.n_rows if is_committed else 0)))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.path)
        sync_folder(self.path.parent)

    def _map(self, before: Mapped | None) -> Mapped:
        with self.path.open("rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            proof, state = self._check(file), (status.st_ino, status.st_mtime_ns)
            is_same = before is not None and before.state == state and len(before.records) == self.rows.n_rows
            array = before.records if before is not None and is_same else self._array(file, mmap.ACCESS_READ)
            if not (differing := self._differing(array, proof)):
                return before if before is not None and is_same else _mapped(array, state)
            # Copy on write lets us put rows right for ourselves without touching the file.
            array = self._array(file, mmap.ACCESS_COPY)
            for row, record in differing.items():
                array[row] = np.frombuffer(record, np.uint8)
        return _mapped(array, None)

    def _differing(self, array: Records, proof: Proof) -> dict[int, bytes]:
        """Return the records of unproven rows that the database has otherwise.

        A database that was copied, restored or synchronised without this file keeps its uuid, but then the rows
        differ from some point to the last: some are always looked at. A row that is damaged in the database says
        nothing of the file. Raises UnsoundError.
        """
        unproven = set(proof.unproven(self.rows.n_rows))
        looked_at = unproven.union(np.linspace(0, self.rows.n_rows - 1, _SPOT_CHECKS, dtype=int).tolist())
        stored = self.rows.some(sorted(looked_at))
        differing = {row: record for row, record in stored.items() if array[row].tobytes() != record}
        for row in differing.keys() - unproven:
            if differing.pop(row) != self.rows.layout.nothing:
                raise UnsoundError(f"row {row} is not as in the database")
        return differing

    def _array(self, file: BinaryIO, access: int) -> Records:
        n_rows, n_bytes = self.rows.n_rows, self.rows.layout.n_bytes
        mapped = mmap.mmap(file.fileno(), self._size(n_rows), access=access)
        return np.frombuffer(mapped, np.uint8, n_rows * n_bytes, HEADER_BYTES).reshape(n_rows, n_bytes)

    def _prove(self, proof: Proof) -> None:
        # Opened anew each time: another process may have put a rebuilt file in place.
        with self.path.open("r+b", buffering=0) as file:
            for row, record in self.rows.some(proof.unproven(self.rows.n_rows)).items():
                if os.pread(file.fileno(), len(record), self._size(row)) != record:
                    _write_at(file, self._size(row), record)
            _fdatasync(file.fileno())
            # If this is lost more is compared, that is all.
            _write_at(file, 0, self._header(Proof(self.rows.n_rows)))

    def _check(self, file: BinaryIO, n_rows: int | None = None) -> Proof:
        """Read the header, and see whether there is room for so many rows (all). Raises UnsoundError."""
        header, n_bytes = file.read(HEADER_BYTES), os.fstat(file.fileno()).st_size
        expected = self._size(self.rows.n_rows if n_rows is None else n_rows)
        if len(header) < HEADER_BYTES or n_bytes < expected:
            raise UnsoundError(f"it has {n_bytes} bytes, expected {expected}")
        end, *listed = _FIELDS.unpack_from(header)[-_MOST_LISTED - 1 :]
        proof = Proof(end, tuple(row for row in listed if row != _NONE))
        if header != self._header(proof):
            raise UnsoundError("its header is damaged or of another library")
        return proof

    def _header(self, proof: Proof) -> bytes:
        encoder = zlib.crc32(self.version.encode("utf-8", "surrogatepass"))
        listed = (*proof.listed, *[_NONE] * (_MOST_LISTED - len(proof.listed)))
        layout = self.rows.layout
        magic = _MAGIC + layout.ending[:1].encode()
        fields = _FIELDS.pack(magic, _FORMAT, layout.n_bytes, self.library_uuid, encoder, proof.end, *listed)
        return (fields + _CRC.pack(zlib.crc32(fields))).ljust(HEADER_BYTES, b"\x00")

    def _size(self, n_rows: int) -> int:
        return HEADER_BYTES + n_rows * self.rows.layout.n_bytes


def make_ready(files: Sequence[RowFile], *, thorough: bool = True, is_committed: bool = True) -> None:
    """Prove, or make anew, the files of one encoder where that is due, within a write transaction."""
    if stale := [file for file in files if not file.prove(thorough=thorough, is_committed=is_committed)]:
        rebuild(stale, is_committed=is_committed)


def rebuild(files: Sequence[RowFile], *, is_committed: bool = True) -> None:
    """Make the files of one encoder anew, in one go through the database.

    Within a write transaction, so that one process does it and the rows stand still.
    """
    with ExitStack() as stack:
        streams = [stack.enter_context(file.anew(is_committed=is_committed)) for file in files]
        for blocks in together([file.rows for file in files]):
            for stream, block in zip(streams, blocks, strict=True):
                stream.write(b"".join(block))


def _mapped(array: Records, state: tuple[int, int] | None) -> Mapped:
    array.flags.writeable = False
    return Mapped(array, state)


def files_beside(database: Path, suffix: str = "") -> list[Path]:
    """All such files of a library, of whatever encoder; with `.new` the unfinished ones."""
    return [each for ending in ENDINGS for each in siblings(database, f".*.{ending}{suffix}")]


def is_row_file(path: Path) -> bool:
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


def _write_at(file: BinaryIO, offset: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(file.fileno(), data[written:], offset + written)
