"""Analyses on their way to another library: as they were, or not at all, whoever wrote the file."""

import contextlib
import io
import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.errors import ExchangeError
from musrecd.library import exchange
from musrecd.library.encoding import record_checksums
from musrecd.library.exchange import MAGIC, export_analyses, import_analyses, is_export, known_ids, record_type
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Analysis, Tags


@pytest.fixture
def other(fast_folder):
    """Return a library that has nothing yet."""
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder, Library.open(Path(folder) / "other.db") as library:
        yield library


@pytest.fixture
def full(library, make):
    """Return a library with five analyses, every kind of them."""
    for number in range(5):
        analysis = make.analysis(number)
        heard = {"bpm": 120.5, "bpm_confidence": 0.25, "key": "C#m", "key_confidence": 1.0} if number % 2 else {}
        library.add(make.file(b"/music/%d" % number), analysis._replace(n_damaged_packets=number, **heard), Tags())
    return library


def exported(library: Library) -> bytes:
    file = io.BytesIO()
    export_analyses(library.path, file)
    return file.getvalue()


def rows(library: Library) -> list[tuple]:
    sql = """
        SELECT audio_id, duration_s, n_damaged_packets, bpm, bpm_confidence, "key", key_confidence, embedding,
            probabilities, checksum
        FROM analyses a JOIN recordings r ON r.id = recording_id
        JOIN outputs o ON o.id = encoder_id * 4294967296 + "row"
        ORDER BY "row"
    """
    with closing(sqlite3.connect(library.path)) as connection:
        return connection.execute(sql).fetchall()


def test_arrive_as_they_were(full, other, make):
    data = exported(full)
    imported = import_analyses(other, io.BytesIO(data), make.encoder())
    assert (imported.added, imported.known, imported.unsound, imported.is_whole) == (5, 0, 0, True)
    assert rows(other) == rows(full)
    with LibraryReader.open(other.path) as reader, LibraryReader.open(full.path) as source:
        np.testing.assert_array_equal(reader.vectors("enc-1"), source.vectors("enc-1"))
        assert reader.summary().files == 0
    assert b"/music" not in data
    assert exported(other) == data
    other.verify()
    assert len(rows(other)) == 5


def test_what_is_known_stays_and_what_is_damaged_is_replaced(full, other, make):
    other.register_encoder(make.encoder())
    ours = make.analysis(1, seed=99)._replace(duration_s=7.0)
    other.keep(ours)
    other.keep(make.analysis(2, seed=98))
    with closing(sqlite3.connect(other.path)) as connection, connection:
        connection.execute("UPDATE analyses SET damaged = 1 WHERE recording_id = 2")
    data = exported(full)
    imported = import_analyses(other, io.BytesIO(data), make.encoder())
    assert (imported.added, imported.known) == (4, 1)
    by_id = {row[0]: row for row in rows(other)}
    assert by_id[ours.audio_id][1] == 7.0
    np.testing.assert_array_equal(np.frombuffer(by_id[ours.audio_id][7], "<f4"), ours.embedding)
    np.testing.assert_array_equal(np.frombuffer(by_id[make.audio_id(2)][7], "<f4"), make.unit(2))
    assert import_analyses(other, io.BytesIO(data), make.encoder()).known == 5


def test_damaged_analyses_are_not_exported(full, other, make):
    with closing(sqlite3.connect(full.path)) as connection, connection:
        connection.execute("UPDATE outputs SET checksum = checksum + 1 WHERE id = (SELECT min(id) FROM outputs)")
        connection.execute("UPDATE analyses SET damaged = 1 WHERE recording_id = 5")
    assert import_analyses(other, io.BytesIO(exported(full)), make.encoder()).added == 3


def test_of_two_files_with_one_recording_the_first_counts(library, make):
    data = exported_with(make, lambda records: None, n=2)
    start = len(data) - 4 - 2 * record_type(make.encoder()).itemsize
    size = record_type(make.encoder()).itemsize
    twice = data[: start + size] + data[start : start + size] + data[-4:]
    imported = import_analyses(library, io.BytesIO(twice), make.encoder())
    assert (imported.added, imported.known) == (1, 1)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_many_blocks_are_as_good_as_one(full, other, make, monkeypatch, n):
    monkeypatch.setattr(exchange, "_BLOCK", 2)
    for number in range(10, 10 + n):
        full.keep(make.analysis(number))
    assert import_analyses(other, io.BytesIO(exported(full)), make.encoder()).added == 5 + n
    assert rows(other) == rows(full)


def exported_with(make, change, n: int = 1) -> bytes:
    """An export whose numbers a stranger made up; checksums are right."""
    info = make.encoder()
    analyses = [make.analysis(number) for number in range(n)]
    records = np.zeros(n, record_type(info))
    for record, analysis in zip(records, analyses, strict=True):
        record["audio_id"] = list(bytes.fromhex(analysis.audio_id))
        record["duration_s"], record["key"] = analysis.duration_s, -1
        record["bpm"] = record["bpm_confidence"] = record["key_confidence"] = np.nan
        record["embedding"], record["probabilities"] = analysis.embedding, analysis.probabilities
    change(records)
    records["checksum"] = record_checksums(records)
    return MAGIC + exchange._header(info) + n.to_bytes(4, "little") + records.tobytes() + bytes(4)


def test_what_a_stranger_may_say(library, make):
    assert import_analyses(library, io.BytesIO(exported_with(make, lambda records: None)), make.encoder()).added == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration_s", np.nan), ("duration_s", -1), ("duration_s", np.inf), ("n_damaged_packets", -1), ("bpm", 0),
        ("bpm", -120), ("bpm", np.inf), ("bpm_confidence", 1.5), ("key", -2), ("key", 24), ("key_confidence", -0.5),
        ("embedding", np.nan), ("embedding", 0), ("embedding", 1), ("embedding", 3e38), ("probabilities", np.nan),
        ("probabilities", 1.01), ("probabilities", -0.01),
    ],
)  # fmt: skip
def test_numbers_that_hearing_cannot_have_given_are_refused(library, make, field, value):
    def change(records):
        records[field] = value

    imported = import_analyses(library, io.BytesIO(exported_with(make, change)), make.encoder())
    assert (imported.added, imported.unsound, imported.is_whole) == (0, 1, True)
    assert rows(library) == []


def test_another_encoder_is_refused_whatever_it_is_called(full, other, make):
    data = exported(full)
    with pytest.raises(ExchangeError, match="'enc-1', and not enc-2"):
        import_analyses(other, io.BytesIO(data), make.encoder("enc-2"))
    labels = tuple(reversed(make.labels))
    with pytest.raises(ExchangeError, match="has other labels"):
        import_analyses(other, io.BytesIO(data), make.encoder()._replace(labels=labels))
    with LibraryReader.open(other.path) as reader:
        assert reader.encoder() is None


@given(data=st.data())
@settings(max_examples=150)
def test_no_damage_brings_in_what_was_not_there(tmp_path_factory, make, data):
    """Flipped, cut or inserted bytes: refused, or whole records as they were."""
    sound = exported_with(make, lambda records: None, n=4)
    place = data.draw(st.integers(0, len(sound)))
    damaged = data.draw(
        st.sampled_from(
            [
                sound[:place],
                sound[:place] + bytes([255 - sound[place % len(sound)]]) + sound[place + 1 :],
                sound[:place] + b"\xff\xff\xff\xff" + sound[place:],
                sound[:place] + sound[place + 4 :],
            ]
        )
    )
    there = {analysis.audio_id: analysis for analysis in map(make.analysis, range(4))}
    stored = Store()
    with contextlib.suppress(ExchangeError):
        import_analyses(stored, io.BytesIO(damaged), make.encoder())
    for analysis in stored.analyses:
        np.testing.assert_array_equal(analysis.embedding, there[analysis.audio_id].embedding)
        assert analysis.duration_s == there[analysis.audio_id].duration_s


class Store:
    """Stands in for a library, of which there would be hundreds."""

    def __init__(self) -> None:
        self.analyses: list[Analysis] = []

    def register_encoder(self, info, hearing):
        pass

    def keep_new(self, analyses):
        self.analyses += analyses
        return len(analyses)


@pytest.mark.parametrize("whole", [0, 1, 3])
def test_of_a_file_that_was_cut_short_what_is_whole_is_taken(library, make, whole):
    sound = exported_with(make, lambda records: None, n=4)
    size = record_type(make.encoder()).itemsize
    cut = sound[: len(sound) - 4 - (4 - whole) * size + size // 2]
    imported = import_analyses(library, io.BytesIO(cut), make.encoder())
    assert (imported.added, imported.is_whole) == (whole, False)


HEADER = {"version": "enc-1", "dim": 8, "labels": [["rock", "genre"]]}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no file that `musrecd export` wrote"),
        (b"\x80\x04\x95pickle", "no file that"),
        (b"musrec analyses 2\n", "another version of musrec"),
        (MAGIC, "header is damaged"),
        (MAGIC + b"[" * 100_000, "header is damaged"),
        (MAGIC + b'{"encoder": 3}\n', "header is damaged"),
        (MAGIC + json.dumps({"encoder": {**HEADER, "dim": "8"}}).encode() + b"\n", "header is damaged"),
        (MAGIC + json.dumps({"encoder": {**HEADER, "labels": [1]}}).encode() + b"\n", "header is damaged"),
        (MAGIC + json.dumps({"encoder": {**HEADER, "dim": 10**12}}).encode() + b"\n", "has other labels"),
    ],
)
def test_what_is_no_export_is_told_in_one_line(library, make, data, told):
    with pytest.raises(ExchangeError, match=told):
        import_analyses(library, io.BytesIO(data), make.encoder())


def test_the_encoder_can_be_named(full, make):
    file = io.BytesIO()
    full.register_encoder(make.encoder("enc-2"))
    assert export_analyses(full.path, file, "enc-2") == (make.encoder("enc-2"), 0)
    with pytest.raises(ExchangeError, match="no analyses of an encoder 'enc-3'; there are enc-1, enc-2"):
        export_analyses(full.path, file, "enc-3")


def test_knows_which_recordings_need_not_be_heard(full, make):
    with closing(sqlite3.connect(full.path)) as connection, connection:
        connection.execute("UPDATE analyses SET damaged = 1 WHERE recording_id = 1")
    assert known_ids(full.path, "enc-1") == b"".join(bytes.fromhex(make.audio_id(number)) for number in range(1, 5))
    assert known_ids(full.path, "enc-2") == b""


def test_tells_its_files_from_others(full, tmp_path):
    (tmp_path / "ours").write_bytes(exported(full))
    (tmp_path / "other").write_bytes(b"ID3")
    assert [is_export(tmp_path / name) for name in ("ours", "other")] == [True, False]
