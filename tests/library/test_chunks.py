"""How recordings sound piece by piece comes back nearly as it was heard, and is in nobody's way where it does not."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musrecd.errors import LibraryDamagedError, LibraryError
from musrecd.library.chunks import directions_of, quantised
from musrecd.library.reader import LibraryReader
from musrecd.library.recovery import put_right
from musrecd.library.store import Library
from musrecd.types import Chunks, Tags


def chunks_of(make, number: int, n: int = 3) -> Chunks:
    spans_s = np.array([(10.5 * i, 10.5 * i + 10) for i in range(n)], np.float32)
    return Chunks(spans_s, np.stack([make.unit(100 * number + i) for i in range(n)]))


def chunked(make, number: int, version: str = "enc-1", n: int = 3):
    return make.analysis(number, version=version)._replace(chunks=chunks_of(make, number, n))


def stored(path, version="enc-1") -> dict[int, Chunks]:
    with LibraryReader.open(path) as reader:
        return reader.chunks(range(100), version)


def change(path, sql) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


def are_close(found: Chunks, expected: Chunks) -> None:
    np.testing.assert_array_equal(found.spans_s, expected.spans_s)
    np.testing.assert_allclose(found.directions, expected.directions, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1, atol=1e-5)


matrices = arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 200)), elements=st.floats(-1, 1, width=32))


@given(matrices.filter(lambda m: (np.abs(m).max(axis=1) > 1e-3).all()))
def test_rounding_turns_no_direction_further_than_half_a_step_of_each_number_can(matrix):
    units = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    found = directions_of(quantised(units))
    # The farthest corner of a cube around the vector, whose half side is half a step.
    half_steps = np.abs(units).max(axis=1) / 127 / 2
    widest = np.arcsin(np.minimum(half_steps * np.sqrt(units.shape[1]), 1))
    cosines = (found.astype(float) * units).sum(axis=1)
    assert (cosines >= np.cos(widest) - 1e-5).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.sampled_from([64, 128, 256]))
def test_of_embeddings_a_cosine_is_hardly_changed(seed, dim):
    vectors = np.random.default_rng(seed).standard_normal((8, dim)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = directions_of(quantised(units))
    np.testing.assert_allclose(found @ found.T, units @ units.T, atol=0.01)


def test_nothing_at_all_points_nowhere():
    assert not directions_of(quantised(np.zeros((2, 8), np.float32))).any()
    assert directions_of(quantised(np.empty((0, 8), np.float32))).shape == (0, 8)


def test_chunks_come_back_by_row(library, make):
    library.add(make.file(b"/1"), chunked(make, 1), Tags())
    library.add(make.file(b"/2"), make.analysis(2), Tags())
    library.add(make.file(b"/3"), chunked(make, 3, n=60), Tags())
    found = stored(library.path)
    assert set(found) == {0, 2}
    are_close(found[0], chunks_of(make, 1))
    are_close(found[2], chunks_of(make, 3, n=60))
    with LibraryReader.open(library.path) as reader:
        assert set(reader.chunks([2], "enc-1")) == {2}
        assert reader.chunks([], "enc-1") == {}


def test_heard_again_they_are_replaced_and_kept_where_nothing_is_known_of_them(library, make):
    library.keep(chunked(make, 1))
    library.keep(chunked(make, 1)._replace(chunks=chunks_of(make, 7)))
    are_close(stored(library.path)[0], chunks_of(make, 7))
    library.keep(make.analysis(1))
    are_close(stored(library.path)[0], chunks_of(make, 7))


@pytest.mark.parametrize(
    "chunks",
    [
        lambda make: Chunks(np.zeros((2, 2), np.float32), np.stack([make.unit(1)])),
        lambda make: Chunks(np.zeros((1, 2), np.float32), np.stack([make.unit(1, dim=9)])),
        lambda make: Chunks(np.full((1, 2), np.nan, np.float32), np.stack([make.unit(1)])),
        lambda make: Chunks(np.zeros((1, 2), np.float32), np.full((1, make.dim), np.inf, np.float32)),
    ],
)
def test_what_are_no_chunks_is_refused_whole(library, make, chunks):
    with pytest.raises(LibraryError, match="chunks"):
        library.keep(make.analysis(1)._replace(chunks=chunks(make)))
    assert library.keep_new([make.analysis(1)]) == 1
    assert stored(library.path) == {}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE chunks SET directions = zeroblob(length(directions)) WHERE id % 4294967296 = 1",
        "UPDATE chunks SET spans = zeroblob(length(spans)) WHERE id % 4294967296 = 1",
        "UPDATE chunks SET checksum = checksum + 1 WHERE id % 4294967296 = 1",
        "UPDATE chunks SET spans = 'text', directions = 3.5 WHERE id % 4294967296 = 1",
        "UPDATE chunks SET spans = x'', directions = x'00', checksum = 3523407757 WHERE id % 4294967296 = 1",
        "DELETE FROM chunks WHERE id % 4294967296 = 1",
    ],
)
def test_damaged_ones_are_not_there_and_nobody_minds(library, make, damage):
    for number in range(3):
        library.add(make.file(b"/%d" % number), chunked(make, number), Tags())
    change(library.path, damage)
    assert set(stored(library.path)) == {0, 2}
    assert library.verify() == 0
    with LibraryReader.open(library.path) as reader:
        tracks = reader.tracks_at([b"/1"], "enc-1")
        assert len(reader.embeddings([tracks[b"/1"].recording_id], "enc-1")) == 1


def test_they_go_with_their_encoder(library, make):
    library.keep(chunked(make, 1))
    library.register_encoder(make.encoder("enc-2"))
    for number in (1, 2):
        library.add(make.file(b"/%d" % number), chunked(make, number, "enc-2"), Tags())
    assert set(stored(library.path)) == {0}
    change(library.path, "UPDATE encoders SET registered_at = '2020-01-01T00:00:00+00:00' WHERE version = 'enc-1'")
    assert library.compact().n_encoders == 1
    assert set(stored(library.path, "enc-2")) == {0, 1}
    with closing(sqlite3.connect(library.path)) as connection:
        assert connection.execute("SELECT count(*) FROM chunks").fetchone() == (2,)


@pytest.mark.parametrize("has_table", [True, False])
def test_they_are_saved_from_a_damaged_library(path, make, has_table):
    with Library.open(path) as library:
        library.register_encoder(make.encoder())
        for number in range(20):
            library.add(make.file(b"/%d" % number), chunked(make, number), Tags())
    if has_table:
        change(path, "UPDATE chunks SET checksum = 0 WHERE id % 4294967296 = 3")
    else:  # a library of an older schema
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE chunks")
    put_right(path, LibraryDamagedError("damaged"), even_if_sound=True)
    with LibraryReader.open(path) as reader:
        tracks = reader.tracks_at([b"/%d" % number for number in range(20)], "enc-1")
        rows = reader.rows_of([track.recording_id for track in tracks.values()], "enc-1")
        found = reader.chunks(rows.values(), "enc-1")
        numbers = {row: int(name[1:]) for name, track in tracks.items() for row in [rows[track.recording_id]]}
    assert len(numbers) == 20
    assert {numbers[row] for row in found} == (set(range(20)) - {3} if has_table else set())
    for row, chunks in found.items():
        are_close(chunks, chunks_of(make, numbers[row]))


def test_whoever_asks_for_vectors_never_reads_them(library, make):
    library.add(make.file(b"/1"), chunked(make, 1), Tags())
    with LibraryReader.open(library.path) as reader:
        asked: list[str] = []
        reader._connection.set_trace_callback(asked.append)
        reader.vectors("enc-1"), reader.features("enc-1"), reader.tracks_in_rows([0], "enc-1")
        assert asked
        assert not any("chunks" in sql for sql in asked)
        reader.chunks([0], "enc-1")
        assert any("chunks" in sql for sql in asked)
