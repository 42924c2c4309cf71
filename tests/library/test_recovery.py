"""A damaged library gives way to its newest sound backup and to what can be read of it; a foreign file never does."""

import os
import random
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from musrecd.errors import LibraryDamagedError, LibraryError
from musrecd.library import recovery
from musrecd.library.backups import backup, newest_sound, numbered
from musrecd.library.journal import Plan
from musrecd.library.reader import LibraryReader
from musrecd.library.recovery import put_right
from musrecd.library.store import Library
from musrecd.types import Tags

ERROR = LibraryDamagedError("damaged")
PAGE = 4096


def fill(path, make, numbers) -> None:
    with Library.open(path) as library, library.at_once():
        library.register_encoder(make.encoder())
        for number in numbers:
            library.add(make.file(b"/%d" % number), make.analysis(number), Tags(f"artist {number}"))


@pytest.fixture
def backed_up(path, make):
    """A library of 300 recordings; the first 100 are in its backup."""
    fill(path, make, range(100))
    backup(path, numbered(path, 1))
    fill(path, make, range(100, 300))
    return path


def known(path, make) -> set[int]:
    with LibraryReader.open(path) as reader:
        return {int(path[1:]) for path in reader.analysed_paths(make.version)}


def aside(path) -> list[bytes]:
    return [each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}.damaged-*"))]


def root_page(path, table) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]


def overwrite(path, page, n_bytes=PAGE) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(random.Random(page).randbytes(n_bytes))


def check_right(path, make, at_least) -> None:
    """Fail unless the library is sound, has what it must have, and answers right."""
    with Library.open(path) as library:
        assert library.verify() == 0
    with LibraryReader.open(path) as reader:
        numbers = known(path, make)
        assert numbers >= set(at_least)
        tracks = reader.tracks_at([b"/%d" % number for number in numbers], make.version)
        for number in numbers:
            recording_id = tracks[b"/%d" % number].recording_id
            assert reader.embeddings([recording_id], make.version).tobytes() == make.unit(number).tobytes()
            row = reader.rows_of([recording_id], make.version)[recording_id]
            assert reader.vectors(make.version)[row].tobytes() == make.unit(number).tobytes()
            assert tracks[b"/%d" % number].tags.artist == f"artist {number}"
    leftovers = {each.name for each in path.parent.iterdir() if "restored" in each.name or each.name.endswith(".new")}
    assert not leftovers


@pytest.mark.parametrize("table", ["files", "recordings", "analyses", "outputs", "encoders", "jobs", "analyses_by_row"])
def test_any_page_that_is_overwritten_leads_back_to_the_backup_at_least(backed_up, make, table):
    overwrite(backed_up, root_page(backed_up, table))
    damaged = backed_up.read_bytes()
    put_right(backed_up, ERROR)
    check_right(backed_up, make, range(100))
    assert aside(backed_up) == [damaged]


def test_what_came_after_the_backup_is_saved_where_it_can_be_read(backed_up, make, path):
    overwrite(path, root_page(path, "jobs"))
    put_right(path, ERROR)
    check_right(path, make, range(300))


def test_without_a_backup_everything_readable_is_saved(path, make):
    fill(path, make, range(300))
    with Library.open(path) as library:
        library.mark_missing([b"/7"])
        library.attach(make.file(b"/1000"), make.audio_id(8), Tags("artist 8"))
    # A leaf of the BLOBs: what lies there is lost, some 60, and what is stepped over until it is behind.
    overwrite(path, path.read_bytes().index(make.unit(150).tobytes()) // PAGE + 1)
    put_right(path, ERROR)
    n_lost = 301 - 1 - len(known(path, make))
    assert n_lost <= 127
    with Library.open(path) as library:
        assert library.mark_seen([b"/7"]) == 1


def test_the_journal_of_tags_is_saved(path, make):
    plans = [Plan(b"/%d" % number, f"{number:040x}", (), ("Rock",), {"x": 1}) for number in range(40)]
    fill(path, make, range(40))
    with Library.open(path) as library:
        first = library.journal.begin(1, plans[:10])
        library.journal.finish([(number, make.file(b"/x")) for number in first])
    backup(path, numbered(path, 1))
    with Library.open(path) as library:
        rest = library.journal.begin(2, [*plans[10:], replace(plans[0], undoes=first[0])])
        library.journal.finish([(number, None) for number in rest[:-2]] + [(rest[-1], None)])
        library.add(make.file(b"/more"), make.analysis(300), Tags())
    overwrite(path, root_page(path, "files"))
    put_right(path, ERROR)
    with LibraryReader.open(path) as reader:
        entries = reader.journal.entries()
    assert sorted(each.plan.path for each in entries) == sorted([*(plan.path for plan in plans), b"/0"])
    assert [each.state for each in entries].count("begun") == 1
    assert entries[-1].plan.undoes == entries[0].number
    assert {each.plan.genres_after for each in entries} == {("Rock",)}


@pytest.mark.parametrize("n_bytes", [0, 50, PAGE, 10 * PAGE])
def test_a_truncated_library_is_restored(backed_up, make, n_bytes):
    os.truncate(backed_up, n_bytes)
    put_right(backed_up, ERROR)
    check_right(backed_up, make, range(100))
    assert len(aside(backed_up)) == (n_bytes > 0)


def test_an_overwritten_header_is_ours_if_backups_or_vectors_lie_beside_it(backed_up, make):
    overwrite(backed_up, 1, 100)
    put_right(backed_up, ERROR)
    check_right(backed_up, make, range(100))
    numbered(backed_up, 1).unlink()
    overwrite(backed_up, 1, 100)
    put_right(backed_up, ERROR)
    assert known(backed_up, make) == set()
    assert len(aside(backed_up)) == 2


def test_of_several_backups_the_newest_that_is_whole_is_taken(backed_up, make):
    for number in (2, 3):
        backup(backed_up, numbered(backed_up, number))
    overwrite(numbered(backed_up, 1), 3)
    os.truncate(numbered(backed_up, 2), PAGE)
    assert newest_sound(backed_up) == numbered(backed_up, 3)
    os.truncate(backed_up, PAGE)
    put_right(backed_up, ERROR)
    check_right(backed_up, make, range(300))


def foreign_database(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("PRAGMA application_id = 7; CREATE TABLE t (x); INSERT INTO t VALUES (1)")


def newer_schema(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("PRAGMA application_id = 0x4D555352; PRAGMA user_version = 999; CREATE TABLE t (x)")


FOREIGN = {
    "text": lambda path: path.write_text("these are my notes " * 100),
    "another program's database": foreign_database,
    "a newer schema": newer_schema,
}


@pytest.mark.parametrize("make_file", FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_surely_ours_is_left_alone(path, make_file):
    make_file(path)
    content = path.read_bytes()
    with pytest.raises(LibraryDamagedError, match="damaged"):
        put_right(path, ERROR)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("make_file", [foreign_database, newer_schema])
def test_not_even_where_backups_of_ours_lie_beside_it(backed_up, make_file):
    backed_up.unlink()
    make_file(backed_up)
    content = backed_up.read_bytes()
    with pytest.raises(LibraryDamagedError):
        put_right(backed_up, ERROR)
    assert backed_up.read_bytes() == content


def test_a_sound_library_stays_unless_it_was_found_damaged_again(backed_up, make):
    content = backed_up.read_bytes()
    put_right(backed_up, ERROR)
    assert backed_up.read_bytes() == content
    assert aside(backed_up) == []
    put_right(backed_up, ERROR, even_if_sound=True)
    assert aside(backed_up) == [content]
    check_right(backed_up, make, range(300))


def test_an_empty_file_counts_as_new_only_where_there_is_no_backup(backed_up, path):
    os.truncate(path, 0)
    for kind in (Library, LibraryReader):
        with pytest.raises(LibraryDamagedError, match="is empty, but was not"):
            kind.open(path)
    assert path.stat().st_size == 0
    numbered(path, 1).unlink()
    Library.open(path).close()
    assert path.stat().st_size > 0


def test_the_journal_of_the_damaged_one_is_not_taken_for_that_of_the_new_one(backed_up, make):
    os.truncate(backed_up, 5 * PAGE)
    journal = backed_up.with_name(f"{backed_up.name}-journal")
    journal.write_bytes(b"left behind")
    recovery._put_in_place(recovery._make_restored(backed_up, lambda: None), backed_up)
    check_right(backed_up, make, range(100))
    assert not journal.exists()
    assert b"left behind" in aside(backed_up)


def test_vectors_of_the_damaged_one_do_not_answer_for_the_backup(backed_up, make):
    # Heard anew since the backup, with another result in the same row.
    with Library.open(backed_up) as library:
        library.add(make.file(b"/50"), make.analysis(50, seed=999), Tags("artist 50"))
    os.truncate(backed_up, PAGE)
    put_right(backed_up, ERROR)
    check_right(backed_up, make, range(100))


def test_a_disk_that_damages_again_and_again_is_said(backed_up, make):
    for _ in range(5):
        os.truncate(backed_up, PAGE)
        put_right(backed_up, ERROR)
    os.truncate(backed_up, PAGE)
    with pytest.raises(LibraryDamagedError, match="5 times within a day: see to the disk"):
        put_right(backed_up, ERROR)
    assert backed_up.stat().st_size == PAGE


def test_a_copy_of_a_damaged_library_replaces_no_sound_one(backed_up, make):
    sound = numbered(backed_up, 1).read_bytes()
    overwrite(backed_up, root_page(backed_up, "recordings"))
    with Library.open(backed_up) as library, pytest.raises(LibraryDamagedError, match="so would be its backup"):
        library.backup(numbered(backed_up, 1))
    assert numbered(backed_up, 1).read_bytes() == sound
    assert not list(backed_up.parent.glob("*.new"))


@pytest.mark.parametrize("left", ["nothing", "something"])
def test_a_library_that_was_cut_or_taken_away_while_open_is_damaged(backed_up, make, left):
    with Library.open(backed_up) as library:
        if left == "nothing":
            backed_up.unlink()
        else:
            os.truncate(backed_up, 0)
        with pytest.raises(LibraryDamagedError):
            library.add(make.file(b"/new"), make.analysis(5000), Tags())
    put_right(backed_up, ERROR)
    check_right(backed_up, make, range(100))


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_never_brings_wrong_answers(path, make, seed):
    fill(path, make, range(200))
    rng = random.Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(rng.randrange(1, 6)):
        begin = rng.randrange(PAGE, len(data) - 200)
        data[begin : begin + 200] = rng.randbytes(200)
    path.write_bytes(data)
    try:
        with Library.open(path) as library:
            library.verify()
    except LibraryError:
        put_right(path, ERROR, even_if_sound=True)
        check_right(path, make, [])
