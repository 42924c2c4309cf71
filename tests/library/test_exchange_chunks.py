"""How recordings sound piece by piece travels with their analyses, or not at all, whoever wrote the file."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.library import exchange_chunks
from musrecd.library.encoding import record_checksums
from musrecd.library.exchange import export_analyses, import_analyses
from musrecd.library.exchange_chunks import MAGIC, record_type
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Chunks


def chunks_of(make, number: int, n: int = 2) -> Chunks:
    spans_s = np.array([(10 * i, 10 * i + 9.5) for i in range(n)], np.float32)
    return Chunks(spans_s, np.stack([make.unit(50 * number + i) for i in range(n)]))


def fill(library: Library, make, numbers) -> None:
    """Every third has none, the others one to three."""
    library.register_encoder(make.encoder())
    for number in numbers:
        chunks = chunks_of(make, number, 1 + number % 4) if number % 3 else None
        library.keep(make.analysis(number)._replace(chunks=chunks))


@pytest.fixture
def full(library, make):
    fill(library, make, range(12))
    return library


@pytest.fixture
def other(path):
    with Library.open(Path(f"{path}.other")) as library:
        yield library


def exported(library: Library) -> bytes:
    file = io.BytesIO()
    export_analyses(library.path, file)
    return file.getvalue()


def stored(library: Library) -> dict[str, Chunks]:
    with LibraryReader.open(library.path) as reader:
        ids = reader.recordings_of(f"{number:040x}" for number in range(100))
        rows, names = reader.rows_of(ids, "enc-1"), reader.audio_ids(ids)
        found = reader.chunks(rows.values(), "enc-1")
        return {names[number]: found[row] for number, row in rows.items() if row in found}


def are_same(one: dict[str, Chunks], other: dict[str, Chunks]) -> None:
    assert one.keys() == other.keys()
    for name, chunks in one.items():
        np.testing.assert_array_equal(chunks.spans_s, other[name].spans_s)
        np.testing.assert_array_equal(chunks.directions, other[name].directions)


@pytest.mark.parametrize("block", [1, 2, 512])
def test_they_arrive_as_they_were(full, other, make, monkeypatch, block):
    monkeypatch.setattr(exchange_chunks, "_BLOCK", block)
    data = exported(full)
    imported = import_analyses(other, io.BytesIO(data), make.encoder())
    assert (imported.added, imported.unsound, imported.is_whole) == (12, 0, True)
    assert len(stored(full)) == 8
    are_same(stored(other), stored(full))
    assert exported(other) == data


def test_who_knows_nothing_of_them_reads_the_rest(full, other, make):
    """Older versions read no further than the end of the first part; without it there is nothing more to read."""
    data = exported(full)
    first = data[: data.index(MAGIC)]
    assert first.endswith(bytes(4))
    imported = import_analyses(other, io.BytesIO(first), make.encoder())
    assert (imported.added, imported.is_whole) == (12, True)
    assert stored(other) == {}
    # Heard by a version that kept none, they come with the next import.
    imported = import_analyses(other, io.BytesIO(data), make.encoder())
    assert (imported.added, imported.known) == (0, 12)
    are_same(stored(other), stored(full))


def test_what_is_known_stays(full, other, make):
    other.register_encoder(make.encoder())
    other.keep(make.analysis(1)._replace(chunks=chunks_of(make, 7)))
    before = stored(other)
    import_analyses(other, io.BytesIO(exported(full)), make.encoder())
    after = stored(other)
    assert len(after) == 8
    are_same({make.audio_id(1): after[make.audio_id(1)]}, before)


def test_of_what_is_damaged_nothing_is_exported(full, other, make):
    full._db.execute("UPDATE chunks SET directions = zeroblob(length(directions)) WHERE id % 4294967296 = 1")
    full._db.execute("UPDATE analyses SET damaged = 1 WHERE recording_id = 3")
    import_analyses(other, io.BytesIO(exported(full)), make.encoder())
    assert len(stored(other)) == 6


def part(make, change, n_chunks: int = 2) -> bytes:
    """The second part of a stranger, whose checksums are right, of recording 0."""
    records = np.zeros(1, record_type(n_chunks, make.dim))
    records["audio_id"] = list(bytes.fromhex(make.audio_id(0)))
    records["spans"], records["directions"] = [[0, 10]] * n_chunks, 100
    change(records)
    records["checksum"] = record_checksums(records)
    return MAGIC + struct.pack("<II", 1, n_chunks) + records.tobytes() + struct.pack("<II", 0, 0)


@pytest.mark.parametrize(
    ("spans", "is_taken"),
    [
        ([0, 10], True), ([10, 0], False), ([-1, 10], False), ([0, np.nan], False), ([0, np.inf], False),
        ([0, 1e8], False),
    ],
)  # fmt: skip
def test_parts_that_no_recording_can_have_are_refused(make, spans, is_taken):
    def change(records):
        records["spans"][:, 1] = spans

    [found] = exchange_chunks.read(io.BytesIO(part(make, change)), make.dim)
    assert list(found) == ([make.audio_id(0)] if is_taken else [])


@pytest.mark.parametrize(
    "data",
    [b"other", b"chunks", MAGIC, MAGIC + b"abc"]
    + [MAGIC + struct.pack("<II", *sizes) for sizes in ((2**32 - 1, 1), (1, 2**32 - 1), (1, 0), (0, 3), (1, 3))],
)
def test_what_is_cut_short_or_lies_about_its_size_is_told(make, data):
    *found, last = exchange_chunks.read(io.BytesIO(data), make.dim)
    assert last is None
    assert not any(found)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_damage_brings_in_what_was_not_there(make, data):
    sound = part(make, lambda records: None)
    place = data.draw(st.integers(0, len(sound) - 1))
    garbage = data.draw(st.sampled_from([b"", b"\xff\xff\xff\xff", bytes([255 - sound[place]])]))
    damaged = sound[:place] + garbage + sound[place + data.draw(st.integers(0, 8)) :]
    [expected] = exchange_chunks.read(io.BytesIO(sound), make.dim)
    for found in exchange_chunks.read(io.BytesIO(damaged), make.dim):
        if found:
            are_same(found, expected)
