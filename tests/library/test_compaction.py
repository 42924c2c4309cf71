"""What superseded encoders left is given back, and nothing else: every answer stays as it was."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.library import compaction
from musrecd.library.compaction import Compacted
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Tags

LONG_AGO = "2020-01-01T00:00:00+00:00"


def began(path: Path, version: str, at: str) -> None:
    """Let an encoder have been taken into use at another time."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE encoders SET registered_at = ? WHERE version = ?", [at, version])


def answers(path: Path) -> dict[bytes, bytes]:
    """Everything that the answering encoder says of every file."""
    with LibraryReader.open(path) as reader:
        version = reader.encoder().version
        vectors, lengths, found = reader.vectors(version), reader.features(version).duration_s, {}
        for name, track in reader.tracks_at([b"/%d" % number for number in range(100)], version).items():
            row = reader.rows_of([track.recording_id], version)[track.recording_id]
            [probabilities] = reader.probabilities([track.recording_id], version).values()
            found[name] = vectors[row].tobytes() + probabilities.tobytes() + lengths[row].tobytes()
        return found


def versions(path: Path) -> set[str]:
    with LibraryReader.open(path) as reader:
        return set(reader.summary().analysed)


def fill(library: Library, make, version: str, numbers) -> None:
    library.register_encoder(make.encoder(version))
    for number in numbers:
        library.add(make.file(b"/%d" % number), make.analysis(number, version=version), Tags())


numbers = st.sets(st.integers(0, 12))


@settings(max_examples=60, deadline=None)
@given(old=numbers, new=numbers, missing=numbers, damaged=numbers, is_long_ago=st.booleans(), is_back=st.booleans())
def test_only_what_is_superseded_goes_and_no_answer_changes(
    make, fast_folder, old, new, missing, damaged, is_long_ago, is_back
):
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder, Library.open(Path(folder) / "l.db") as library:
        path = library.path
        fill(library, make, "old", old)
        fill(library, make, "new", new)
        library.mark_missing([b"/%d" % number for number in missing])
        with closing(sqlite3.connect(path)) as connection, connection:
            sql = """
                UPDATE analyses SET damaged = 1 WHERE encoder_id = 2
                AND recording_id IN (SELECT recording_id FROM files WHERE path = ?)
            """
            connection.executemany(sql, [[b"/%d" % number] for number in damaged])
        if is_long_ago:
            began(path, "old", LONG_AGO)
        if is_back:
            began(path, "new", LONG_AGO)
        before = answers(path)
        compacted = library.compact()
        answering = "new" if len(new) >= len(old) else "old"
        heard = {"old": old, "new": new - damaged}
        covers = old - missing <= heard["new"] if answering == "new" else new - missing <= heard["old"]
        other = {"old": "new", "new": "old"}[answering]
        at = {"old": is_long_ago, "new": is_back}
        goes = covers and at[other] and not at[answering]
        assert versions(path) == ({answering} if goes else {"old", "new"})
        assert compacted.n_encoders == goes
        assert answers(path) == before
        for ending in ("vectors", "features"):
            assert len(list(path.parent.glob(f"*.{ending}"))) == len(versions(path))
        assert library.compact() == Compacted(0, 0, 0)
        # What was dropped can be used again, from its first row.
        fill(library, make, other, range(13, 15))
        assert library.verify() == 0


@pytest.fixture
def superseded(library, make, path) -> Library:
    library.register_encoder(make.encoder("old"))
    with library.at_once():
        fill(library, make, "old", range(50))
        fill(library, make, "new", range(50))
    began(path, "old", LONG_AGO)
    return library


def test_a_reader_that_has_the_old_one_mapped_keeps_it(superseded, make, path):
    with LibraryReader.open(path) as reader:
        mapped = reader.vectors("old")
        assert superseded.compact().n_encoders == 1
        np.testing.assert_array_equal(mapped[7], make.unit(7))


def test_left_over_files_go_and_others_stay(superseded, path):
    names = ["gone-00000000.vectors", "x.vectors.new", "gone-00000000.features", "x.features.new"]
    left_over = [path.with_name(f"{path.name}.{name}") for name in names]
    others = [path.with_name("other.db.x.vectors"), path.with_name(f"{path.name}.backup-1")]
    for each in left_over + others:
        each.write_bytes(b"x")
    assert superseded.compact().n_files == 2 + len(left_over)
    assert not any(each.exists() for each in left_over)
    assert all(each.exists() for each in others)


def test_the_database_shrinks_when_much_is_free(superseded, path, monkeypatch):
    before = answers(path)
    assert superseded.compact().n_bytes == 0, "too little to be worth it"
    monkeypatch.setattr(compaction, "_WORTH_IT_BYTES", 1)
    monkeypatch.setattr(compaction, "_MOST_FREE", 0.01)
    size = path.stat().st_size
    n_bytes = superseded.compact().n_bytes
    assert n_bytes > 0
    assert path.stat().st_size == size - n_bytes
    assert answers(path) == before
    assert superseded.verify() == 0


def test_the_encoder_that_is_in_use_stays_though_it_is_older(superseded, make):
    # A person went back to it: it was registered last.
    superseded.register_encoder(make.encoder("old"))
    assert superseded.compact().n_encoders == 0
