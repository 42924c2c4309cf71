"""The vector file: always right or not used, and made anew by the next writer."""

import mmap
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.library import vectors as vectors_module
from musrecd.library.encoding import file_name_part, to_blob
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.library.vectors import HEADER_BYTES, Rows, VectorFile
from musrecd.types import FloatArray, Tags

N_ROWS = 20


@pytest.fixture
def filled(library, make):
    """Fill a library with 20 recordings, one a file."""
    for number in range(1, N_ROWS + 1):
        library.add(make.file(b"/%d" % number), make.analysis(number), Tags())
    return library


def vector_file(path: Path) -> Path:
    (found,) = path.parent.glob("*.vectors")
    return found


def is_mapped(array: FloatArray) -> bool:
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


def read(path: Path, make) -> tuple[FloatArray, FloatArray]:
    """Read all rows twice: as the vector file has them, and from the BLOBs."""
    with LibraryReader.open(path) as reader:
        rows = reader.vectors(make.version)
        with closing(sqlite3.connect(path)) as connection:
            ids = connection.execute('SELECT recording_id FROM analyses ORDER BY "row"').fetchall()
        return rows, reader.embeddings([number for (number,) in ids], make.version)


def assert_right(path: Path, make, *, mapped: bool, n_rows: int = N_ROWS) -> None:
    rows, embeddings = read(path, make)
    assert rows.shape == (n_rows, make.dim)
    np.testing.assert_array_equal(rows, embeddings)
    assert is_mapped(rows) == mapped


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def of_another_library(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "library.db"
        with Library.open(other), closing(sqlite3.connect(other)) as connection:
            (uuid,) = connection.execute("SELECT value FROM meta WHERE key = 'library_uuid'").fetchone()
        data = path.read_bytes()
        path.write_bytes(data[:16] + bytes.fromhex(uuid) + data[32:])


DAMAGE = {
    "deleted": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "header only": lambda path: os.truncate(path, HEADER_BYTES),
    "half a header": lambda path: os.truncate(path, HEADER_BYTES // 2),
    "last row cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "magic": lambda path: flip(path, 0),
    "format": lambda path: flip(path, 8),
    "dim": lambda path: flip(path, 12),
    "uuid": lambda path: flip(path, 20),
    "another library": of_another_library,
    "encoder": lambda path: flip(path, 32),
    "unsettled row": lambda path: flip(path, 36),
    "checksum": lambda path: flip(path, 44),
    "padding": lambda path: flip(path, 63),
    "first row": lambda path: flip(path, HEADER_BYTES),
    "last row": lambda path: flip(path, path.stat().st_size - 1),
    "text": lambda path: path.write_text("not vectors " * 200),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "dangling link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


def test_rows_are_those_of_the_blobs_and_mapped(filled, path, make):
    assert_right(path, make, mapped=True)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_file_is_not_used(filled, path, make, damage):
    DAMAGE[damage](vector_file(path))
    assert_right(path, make, mapped=False)


@pytest.mark.parametrize("damage", sorted(DAMAGE.keys() - {"folder"}))
def test_opening_for_writing_rebuilds(filled, path, make, damage):
    DAMAGE[damage](vector_file(path))
    with Library.open(path):
        pass
    assert_right(path, make, mapped=True)


@pytest.mark.parametrize("damage", sorted(DAMAGE.keys() - {"folder", "first row", "last row"}))
def test_adding_rebuilds(filled, path, make, damage):
    DAMAGE[damage](vector_file(path))
    filled.add(make.file(b"/new"), make.analysis(99), Tags())
    assert_right(path, make, mapped=True, n_rows=N_ROWS + 1)


def test_file_that_cannot_be_rebuilt_does_not_keep_the_library_shut(filled, path, make):
    DAMAGE["folder"](vector_file(path))
    with Library.open(path) as library:
        assert list(library.pending([make.file(b"/1")], make.version)) == []
    assert_right(path, make, mapped=False)


def test_verify_finds_what_a_quick_look_does_not(filled, path, make):
    flip(vector_file(path), HEADER_BYTES + 4 * make.dim)  # row 1 is not among the rows looked at
    assert not np.array_equal(*read(path, make))
    assert filled.verify() == 0
    assert_right(path, make, mapped=True)


def test_array_is_read_only(filled, path, make):
    rows, _ = read(path, make)
    with pytest.raises(ValueError, match="read-only"):
        rows[0, 0] = 1


def test_array_stays_valid_when_the_file_is_rebuilt(filled, path, make):
    rows, embeddings = read(path, make)
    assert filled.verify() == 0
    vector_file(path).unlink()
    np.testing.assert_array_equal(rows, embeddings)


def test_append_writes_one_row_whatever_the_size(filled, path, make, monkeypatch):
    written = []
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *args: written.append(pwrite(*args)) or written[-1])
    filled.add(make.file(b"/new"), make.analysis(99), Tags())
    assert sum(written) == 4 * make.dim


def test_row_is_flushed_before_it_is_committed(filled, path, make, monkeypatch):
    order = []
    commit, flush = filled._db.commit, vectors_module._fdatasync
    monkeypatch.setattr(filled._db, "commit", lambda: (order.append("commit"), commit()))
    monkeypatch.setattr(vectors_module, "_fdatasync", lambda fd: (order.append("flush"), flush(fd)))
    filled.add(make.file(b"/new"), make.analysis(99), Tags())
    assert order == ["flush", "commit"]


def test_same_analysis_again_leaves_the_file_alone(filled, path, make):
    before = vector_file(path).stat()
    filled.add(make.file(b"/1"), make.analysis(1), Tags())
    assert vector_file(path).stat() == before


def test_other_embedding_of_a_recording_overwrites_its_row(filled, path, make):
    filled.add(make.file(b"/5"), make.analysis(5, seed=555), Tags())
    assert_right(path, make, mapped=True)
    filled.add(make.file(b"/7"), make.analysis(7, seed=777), Tags())
    assert_right(path, make, mapped=True)
    rows, _ = read(path, make)
    np.testing.assert_array_equal(rows[[4, 6]], [make.unit(555), make.unit(777)])


class _PowerFailureError(Exception):
    pass


def fail(*_):
    raise _PowerFailureError


@pytest.mark.parametrize("number", [5, 99], ids=["overwritten", "appended"])
def test_row_written_but_not_committed_does_no_harm(filled, path, make, monkeypatch, number):
    with monkeypatch.context() as patch:
        patch.setattr(filled._files, "put", fail)
        with pytest.raises(_PowerFailureError):
            filled.add(make.file(b"/x"), make.analysis(number, seed=555), Tags())
    raw = vector_file(path).read_bytes()
    assert make.unit(555).tobytes() in raw  # the test is of use only if the row did reach the file
    assert_right(path, make, mapped=True)
    with Library.open(path):
        pass
    assert_right(path, make, mapped=True)
    filled.add(make.file(b"/y"), make.analysis(100), Tags())
    assert_right(path, make, mapped=True, n_rows=N_ROWS + 1)
    assert make.unit(555).tobytes() not in vector_file(path).read_bytes()


def test_database_restored_without_its_file(filled, path, make):
    older = path.with_name("older.db")
    filled.backup(older)
    filled.add(make.file(b"/20"), make.analysis(20, seed=555), Tags())
    filled.add(make.file(b"/21"), make.analysis(21), Tags())
    filled.close()
    shutil.copy(older, path)
    assert_right(path, make, mapped=False)
    with Library.open(path):
        pass
    assert_right(path, make, mapped=True)


def test_interrupted_rebuild_leaves_the_old_file(filled, path, make, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(_PowerFailureError):
            filled.verify()
    assert_right(path, make, mapped=True)
    assert len(list(path.parent.glob("*.new"))) == 1
    filled.verify()
    assert list(path.parent.glob("*.new")) == []


def test_damaged_blob_resembles_nothing_until_it_is_analysed_again(filled, path, make):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE outputs SET embedding = randomblob(?) WHERE id % 16 = 3", [4 * make.dim])
    assert filled.verify() == 2
    with LibraryReader.open(path) as reader:
        rows = reader.vectors(make.version)
        assert [row for row in range(N_ROWS) if not rows[row].any()] == [3, 19]
        assert is_mapped(rows)
        assert not reader.knows(make.audio_id(4), make.version)
    files = [make.file(b"/%d" % number) for number in range(1, N_ROWS + 1)]
    again = list(filled.pending(files, make.version))
    assert again == [make.file(b"/4"), make.file(b"/20")]
    for file, number in zip(again, (4, 20), strict=True):
        filled.add(file, make.analysis(number), Tags())
    assert filled.verify() == 0
    assert list(filled.pending(files, make.version)) == []
    assert_right(path, make, mapped=True)


def test_versions_have_files_of_their_own_inside_the_folder(filled, path, make):
    versions = ["a/b", "a_b", "../../x", "A_b", "", "ü" * 300]
    for version in versions:
        filled.register_encoder(make.encoder(version))
        filled.add(make.file(b"/1"), make.analysis(1, version=version), Tags())
    names = [file.name for file in path.parent.glob("*.vectors")]
    assert len({name.casefold() for name in names}) == len(versions) + 1
    with LibraryReader.open(path) as reader:
        assert all(is_mapped(reader.vectors(version)) for version in versions)


@given(st.text(st.characters(exclude_categories=[])))
def test_name_part_is_harmless(version):
    part = file_name_part(version)
    assert part.isascii()
    assert part == Path(part).name
    assert len(part) < 60


@settings(max_examples=30, deadline=None)
@given(dim=st.integers(1, 40), n_rows=st.integers(0, 40), gaps=st.sets(st.integers(0, 39)))
def test_rebuild_and_read_agree_for_any_size_and_with_gaps(dim, n_rows, gaps):
    values = np.random.default_rng(dim).standard_normal((n_rows, dim)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE outputs (id INTEGER PRIMARY KEY, embedding, probabilities, checksum)")
        for row in set(range(n_rows)) - gaps:
            blob = to_blob(values[row], dim, "the embedding")
            key = vectors_module.slot(3, row)
            crc = vectors_module.zlib.crc32(blob)
            connection.execute("INSERT INTO outputs VALUES (?, ?, ?, ?)", [key, blob, b"", crc])
        rows = Rows(connection, 3, dim, n_rows)
        file = VectorFile(Path(folder) / "x", bytes(16), "v", dim)
        values[[row for row in gaps if row < n_rows]] = 0
        assert not file.is_ready(rows)
        np.testing.assert_array_equal(file.read(rows), values)
        file.make_ready(rows)
        assert file.is_ready(rows)
        np.testing.assert_array_equal(file.read(rows), values)
        assert is_mapped(file.read(rows)) == (n_rows > 0)
