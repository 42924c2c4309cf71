"""The files of rows: always right or not used, and made anew by the next writer."""

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

from musrecd.library import features as features_module
from musrecd.library import rowfile, vectors
from musrecd.library.encoding import checksum, file_name_part, slot, to_blob
from musrecd.library.reader import LibraryReader
from musrecd.library.rowfile import ENDINGS, HEADER_BYTES, RowFile, make_ready
from musrecd.library.rows import Rows
from musrecd.library.store import Library
from musrecd.types import FloatArray, Label, Tags
from tests.library.checks import check_features

N_ROWS = 20


@pytest.fixture
def filled(library, make):
    """Fill a library with 20 recordings, one a file, all of whose rows are proven."""
    for number in range(1, N_ROWS + 1):
        library.add(make.file(b"/%d" % number), make.analysis(number), Tags())
    library.verify()
    return library


@pytest.fixture(params=ENDINGS)
def ending(request):
    return request.param


def row_file(path: Path, ending: str) -> Path:
    (found,) = path.parent.glob(f"*.{ending}")
    return found


def is_mapped(array: FloatArray) -> bool:
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


def read(path: Path, make) -> tuple[FloatArray, FloatArray]:
    """Read all vectors twice: as their file has them, and from the BLOBs."""
    with LibraryReader.open(path) as reader:
        rows = reader.vectors(make.version)
        with closing(sqlite3.connect(path)) as connection:
            ids = connection.execute('SELECT recording_id FROM analyses ORDER BY "row"').fetchall()
        return rows, reader.embeddings([number for (number,) in ids], make.version)


def assert_right(path: Path, make, *, unmapped: str | None = None, n_rows: int = N_ROWS) -> None:
    """Fail unless all rows are right, and mapped but for those of one file."""
    rows, embeddings = read(path, make)
    assert rows.shape == (n_rows, make.dim)
    np.testing.assert_array_equal(rows, embeddings)
    with LibraryReader.open(path) as reader:
        check_features(path, reader, make.version)
        features = reader.features(make.version)
    assert {"vectors": is_mapped(rows), "features": is_mapped(features.bpm)} == {
        each: each != unmapped for each in ENDINGS
    }


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


def _other(path: Path) -> Path:
    [ending] = {f".{each}" for each in ENDINGS} - {path.suffix}
    return path.with_suffix(ending)


DAMAGE = {
    "deleted": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "header only": lambda path: os.truncate(path, HEADER_BYTES),
    "half a header": lambda path: os.truncate(path, HEADER_BYTES // 2),
    "last row cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "magic": lambda path: flip(path, 0),
    "format": lambda path: flip(path, 8),
    "size of a row": lambda path: flip(path, 12),
    "uuid": lambda path: flip(path, 20),
    "another library": of_another_library,
    "encoder": lambda path: flip(path, 32),
    "unproven end": lambda path: flip(path, 36),
    "unproven row": lambda path: flip(path, 44),
    "checksum": lambda path: flip(path, 300),
    "padding": lambda path: flip(path, HEADER_BYTES - 1),
    "first row": lambda path: flip(path, HEADER_BYTES),
    "last row": lambda path: flip(path, path.stat().st_size - 1),
    "text": lambda path: path.write_text("not vectors " * 200),
    "the other file": lambda path: shutil.copy(_other(path), path),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "dangling link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


def test_rows_are_those_of_the_database_and_mapped(filled, path, make):
    assert_right(path, make)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_file_is_not_used(filled, path, make, ending, damage):
    DAMAGE[damage](row_file(path, ending))
    assert_right(path, make, unmapped=ending)


@pytest.mark.parametrize("damage", sorted(DAMAGE.keys() - {"folder"}))
def test_opening_for_writing_rebuilds(filled, path, make, ending, damage):
    DAMAGE[damage](row_file(path, ending))
    with Library.open(path):
        pass
    assert_right(path, make)


@pytest.mark.parametrize("damage", sorted(DAMAGE.keys() - {"folder", "first row", "last row"}))
def test_adding_rebuilds(filled, path, make, ending, damage):
    DAMAGE[damage](row_file(path, ending))
    filled.add(make.file(b"/new"), make.analysis(99), Tags())
    assert_right(path, make, n_rows=N_ROWS + 1)


def test_file_that_cannot_be_rebuilt_does_not_keep_the_library_shut(filled, path, make, ending):
    DAMAGE["folder"](row_file(path, ending))
    with Library.open(path) as library:
        assert list(library.pending([make.file(b"/1")], make.version)) == []
    assert_right(path, make, unmapped=ending)


def test_verify_finds_what_a_quick_look_does_not(filled, path, make):
    flip(row_file(path, "vectors"), HEADER_BYTES + 4 * make.dim)  # row 1 is not among the rows looked at
    assert not np.array_equal(*read(path, make))
    assert filled.verify() == 0
    assert_right(path, make)


def test_array_is_read_only(filled, path, make):
    rows, _ = read(path, make)
    with LibraryReader.open(path) as reader:
        features = reader.features(make.version)
    for array in (rows, features.duration_s, features.key, features.probabilities):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_array_stays_valid_when_the_file_is_rebuilt(filled, path, make):
    rows, embeddings = read(path, make)
    assert filled.verify() == 0
    row_file(path, "vectors").unlink()
    np.testing.assert_array_equal(rows, embeddings)


def test_append_writes_one_row_whatever_the_size(filled, path, make, monkeypatch):
    written = []
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *args: written.append(pwrite(*args)) or written[-1])
    filled.add(make.file(b"/new"), make.analysis(99), Tags())
    n_bytes = [row_file(path, each).stat().st_size - HEADER_BYTES for each in ENDINGS]
    assert written == [n // (N_ROWS + 1) for n in n_bytes] == [32, 20]


def test_what_is_flushed_and_when(filled, path, make, monkeypatch):
    """A proven row is known to be proven no more before it changes; appended rows are flushed now and then."""
    order = []
    commit, flush, write = filled._db.commit, rowfile._fdatasync, rowfile._write_at
    monkeypatch.setattr(filled._db, "commit", lambda: (order.append("commit"), commit()))
    monkeypatch.setattr(rowfile, "_fdatasync", lambda fd: (order.append("flush"), flush(fd)))
    monkeypatch.setattr(
        rowfile, "_write_at", lambda file, at, data: (order.append("row" if at else "header"), write(file, at, data))
    )

    def done(*numbers, seed=None):
        for number in numbers:
            filled.add(make.file(b"/%d" % number), make.analysis(number, seed), Tags())
        found = " ".join(order)
        order.clear()
        return found

    assert done(99) == "row row commit"
    assert done(1, seed=101) == "header flush row header flush row commit"
    assert done(1, seed=102) == "row row commit"
    assert done(*range(100, 130)).count("flush") == 0
    assert done(130) == "flush header flush header row row commit"
    assert_right(path, make, n_rows=N_ROWS + 32)


def test_same_analysis_again_leaves_the_files_alone(filled, path, make):
    before = [row_file(path, each).stat() for each in ENDINGS]
    filled.add(make.file(b"/1"), make.analysis(1), Tags())
    assert [row_file(path, each).stat() for each in ENDINGS] == before


def test_another_tempo_changes_the_features_alone(filled, path, make):
    before = row_file(path, "vectors").stat()
    filled.add(make.file(b"/1"), make.analysis(1)._replace(bpm=77.0, hearing=1), Tags())
    assert row_file(path, "vectors").stat() == before
    assert_right(path, make)


def test_another_length_is_that_of_all_encoders(filled, path, make):
    filled.register_encoder(make.encoder("enc-2"))
    filled.add(make.file(b"/1"), make.analysis(1, version="enc-2")._replace(duration_s=7.0), Tags())
    assert_right_features(path, make.version, "enc-2")


def assert_right_features(path, *versions):
    with LibraryReader.open(path) as reader:
        for version in versions:
            check_features(path, reader, version)
            assert is_mapped(reader.features(version).bpm)


def test_other_embedding_of_a_recording_overwrites_its_row(filled, path, make):
    filled.add(make.file(b"/5"), make.analysis(5, seed=555), Tags())
    assert_right(path, make)
    filled.add(make.file(b"/7"), make.analysis(7, seed=777), Tags())
    assert_right(path, make)
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
    raw = row_file(path, "vectors").read_bytes()
    assert make.unit(555).tobytes() in raw  # the test is of use only if the row did reach the file
    assert_right(path, make)
    with Library.open(path):
        pass
    assert_right(path, make)
    filled.add(make.file(b"/y"), make.analysis(100), Tags())
    assert_right(path, make, n_rows=N_ROWS + 1)


def test_database_restored_without_its_file(filled, path, make):
    older = path.with_name("older.db")
    filled.backup(older)
    filled.add(make.file(b"/20"), make.analysis(20, seed=555), Tags())
    filled.add(make.file(b"/21"), make.analysis(21), Tags())
    filled.close()
    shutil.copy(older, path)
    assert_right(path, make)
    with Library.open(path):
        pass
    assert_right(path, make)


def test_interrupted_rebuild_leaves_the_old_file(filled, path, make, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(_PowerFailureError):
            filled.verify()
    assert_right(path, make)
    assert len(list(path.parent.glob("*.new"))) == 2
    filled.verify()
    assert list(path.parent.glob("*.new")) == []


def test_damaged_blob_resembles_nothing_until_it_is_analysed_again(filled, path, make):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE outputs SET embedding = randomblob(?) WHERE id % 16 = 3", [4 * make.dim])
    assert filled.verify() == 2
    with LibraryReader.open(path) as reader:
        rows = reader.vectors(make.version)
        assert [row for row in range(N_ROWS) if not rows[row].any()] == [3, 19]
        assert np.flatnonzero(reader.features(make.version).duration_s == 0).tolist() == [3, 19]
        assert is_mapped(rows)
        assert not reader.knows(make.audio_id(4), make.version)
    files = [make.file(b"/%d" % number) for number in range(1, N_ROWS + 1)]
    again = list(filled.pending(files, make.version))
    assert again == [make.file(b"/4"), make.file(b"/20")]
    for file, number in zip(again, (4, 20), strict=True):
        filled.add(file, make.analysis(number), Tags())
    assert filled.verify() == 0
    assert list(filled.pending(files, make.version)) == []
    assert_right(path, make)


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
@given(dim=st.integers(1, 40), n_rows=st.integers(0, 40), gaps=st.sets(st.integers(0, 39)), n_labels=st.integers(0, 9))
def test_rebuild_and_read_agree_for_any_size_and_with_gaps(dim, n_rows, gaps, n_labels):
    rng = np.random.default_rng(dim)
    values, lengths = rng.standard_normal((n_rows, dim)).astype(np.float32), np.arange(1, n_rows + 1, dtype=np.float32)
    probabilities = rng.integers(0, 256, (n_rows, n_labels)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("""
            CREATE TABLE outputs (id INTEGER PRIMARY KEY, embedding, probabilities, checksum);
            CREATE TABLE analyses (encoder_id, recording_id, row, bpm, bpm_confidence, key, key_confidence);
            CREATE TABLE recordings (id INTEGER PRIMARY KEY, duration_s);
        """)
        for row in set(range(n_rows)) - gaps:
            blobs = to_blob(values[row], dim, ""), to_blob(probabilities[row] / np.float32(255), n_labels, "")
            connection.execute("INSERT INTO outputs VALUES (?, ?, ?, ?)", [slot(3, row), *blobs, checksum(*blobs)])
            connection.execute("INSERT INTO analyses VALUES (3, ?, ?, NULL, NULL, 'Am', 1)", [row, row])
            connection.execute("INSERT INTO recordings VALUES (?, ?)", [row, float(lengths[row])])
        missing = [row for row in gaps if row < n_rows]
        values[missing], lengths[missing], probabilities[missing] = 0, 0, 0
        for layout in (vectors.layout(dim), features_module.layout(dim, n_labels)):
            file = RowFile(Path(folder) / layout.ending, bytes(16), "v", Rows(connection, 3, n_rows, layout))
            assert not file.is_ready()
            unmapped = file.read().records
            make_ready([file])
            assert file.is_ready()
            np.testing.assert_array_equal(file.read().records, unmapped)
            assert is_mapped(file.read().records) == (n_rows > 0)
            if layout.ending == "vectors":
                np.testing.assert_array_equal(vectors.of_records(file.read().records, dim), values)
            else:
                found = features_module.of_records(file.read().records, (Label("x", "genre"),) * n_labels)
                np.testing.assert_array_equal(found.duration_s, lengths)
                np.testing.assert_array_equal(found.probabilities, probabilities)
