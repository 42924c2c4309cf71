"""Schema steps: whole or not at all, with a backup, and never on a file that is not ours."""

import signal
import sqlite3
import stat
import threading
from contextlib import closing
from copy import deepcopy

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from musrecd.errors import LibraryError
from musrecd.library import migrations
from musrecd.library.database import SCHEMA_VERSION
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Job, Priority, Tags

NEWEST = SCHEMA_VERSION + 2


def steps_to_come(*, broken=False):
    """Make the steps of today and two of tomorrow."""
    steps = deepcopy(migrations.STEPS)

    @steps()
    def add_rating(db):
        db.execute("ALTER TABLE files ADD COLUMN rating INTEGER")

    @steps()
    def add_note(db):
        db.execute("INSERT INTO meta VALUES ('note', 'once')")  # a second time would violate the key
        if broken:
            raise sqlite3.OperationalError("the step failed")

    return steps


def connect(path):
    return Database(sqlite3.connect(path, isolation_level=None, timeout=10))


def query(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def columns(path):
    return {row[1] for row in query(path, "PRAGMA table_info(files)")}


@pytest.fixture
def filled(path, library, make):
    library.add(make.file(b"/a"), make.analysis(1), Tags("artist", "title", "album"))
    library.close()
    return path


def test_new_library_has_the_newest_schema_and_no_backup(path):
    with Library.open(path):
        pass
    assert query(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert query(path, "SELECT count(*) FROM _sqlite_migrations") == [(SCHEMA_VERSION,)]
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_opening_again_changes_nothing(filled):
    before = filled.read_bytes()
    with Library.open(filled):
        pass
    assert filled.read_bytes() == before


@pytest.mark.parametrize("opened", [Library, LibraryReader])
def test_newer_schema_is_refused_without_writing(filled, opened):
    query(filled, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before, names = filled.read_bytes(), sorted(filled.parent.iterdir())
    with pytest.raises(LibraryError, match="newer musrec") as caught:
        opened.open(filled)
    assert "\n" not in str(caught.value)
    assert filled.read_bytes() == before
    assert sorted(filled.parent.iterdir()) == names


@pytest.mark.parametrize("opened", [Library, LibraryReader])
def test_database_of_another_program_is_refused_without_writing(path, opened):
    query(path, "CREATE TABLE items (id)")
    before = path.read_bytes()
    with pytest.raises(LibraryError, match="another program"):
        opened.open(path)
    assert path.read_bytes() == before


def test_older_schema_is_backed_up_and_migrated(filled):
    with closing(connect(filled)) as db:
        migrations.migrate(db, filled, steps_to_come(), newest=NEWEST)
    kept = migrations.backup_path(filled, SCHEMA_VERSION)
    assert "rating" in columns(filled)
    assert query(filled, "PRAGMA user_version") == [(NEWEST,)]
    assert query(filled, "SELECT path FROM files") == [(b"/a",)]
    assert "rating" not in columns(kept)
    assert query(kept, "PRAGMA integrity_check") == [("ok",)]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with LibraryReader.open(kept) as reader:
        assert reader.summary().files == 1


def test_a_library_from_before_the_queue_gets_one(path):
    steps = Migrations("musrec")
    steps()(migrations.create_tables)
    path.touch()
    with closing(connect(path)) as db:
        migrations.migrate(db, path, steps, newest=1)
        db.execute("INSERT INTO failures VALUES (?, 1, 1, 'enc-1', 'no sound', 'none', 1, 'then')", [b"/a"])
    with pytest.raises(LibraryError, match="older musrec"):
        LibraryReader.open(path)
    with Library.open(path) as library:
        library.enqueue([b"/a"], Priority.NEW)
        assert library.due_jobs(0, 10) == [Job(b"/a", Priority.NEW)]
    assert query(path, "SELECT path FROM failures") == [(b"/a",)]
    assert query(migrations.backup_path(path, 1), "PRAGMA user_version") == [(1,)]


def test_a_library_from_before_the_looks_counts_from_now_on(path, make):
    steps = Migrations("musrec")
    for step in (migrations.create_tables, migrations.create_queue):
        steps()(step)
    path.touch()
    with closing(connect(path)) as db:
        migrations.migrate(db, path, steps, newest=2)
        db.execute("INSERT INTO failures VALUES (?, 1, 1, 'enc-1', 'no sound', 'none', 1, 'then')", [b"/a"])
    with Library.open(path) as library, LibraryReader.open(path) as reader:
        generations = [reader.generation()]
        library.add_failure(make.file(b"/a"), "enc-1", "no sound", "none")
        generations.append(reader.generation())
        library.mark_missing([b"/a"])
        generations.append(reader.generation())
    assert generations == [0, 1, 2]
    assert query(path, "SELECT count(*) FROM looks") == [(0,)]
    assert query(migrations.backup_path(path, 2), "PRAGMA user_version") == [(2,)]


def test_failed_step_undoes_all_steps(filled):
    with closing(connect(filled)) as db, pytest.raises(sqlite3.OperationalError, match="the step failed"):
        migrations.migrate(db, filled, steps_to_come(broken=True), newest=NEWEST)
    assert "rating" not in columns(filled)
    assert query(filled, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    with Library.open(filled):
        pass


def test_no_backup_no_migration(filled):
    migrations.backup_path(filled, SCHEMA_VERSION).mkdir()
    with closing(connect(filled)) as db, pytest.raises(LibraryError):
        migrations.migrate(db, filled, steps_to_come(), newest=NEWEST)
    assert "rating" not in columns(filled)


KILLED = """
import copy, os, signal, sqlite3, sys
from pathlib import Path
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations
from musrecd.library import migrations
from musrecd.library.database import SCHEMA_VERSION

steps = copy.deepcopy(migrations.STEPS)

@steps()
def add_rating(db):
    db.execute("PRAGMA cache_size = 1")  # so that half of the step is in the file already
    db.execute("ALTER TABLE files ADD COLUMN rating INTEGER")
    db.execute("CREATE TABLE big (data)")
    db.conn.executemany("INSERT INTO big VALUES (?)", [(bytes(3000),)] * 300)
    os.kill(os.getpid(), signal.SIGKILL)

path = Path(sys.argv[1])
migrations.migrate(Database(sqlite3.connect(path, isolation_level=None)), path, steps, newest=SCHEMA_VERSION + 1)
"""


def test_kill_in_a_step_leaves_the_old_schema(filled, start):
    size = filled.stat().st_size
    process = start(KILLED, filled)
    assert process.wait(20) == -signal.SIGKILL
    assert filled.stat().st_size > size  # it was killed in the middle
    with LibraryReader.open(filled) as reader:  # a reader may be the first to come
        assert reader.summary().files == 1
    assert query(filled, "PRAGMA integrity_check") == [("ok",)]
    assert query(filled, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert "rating" not in columns(filled)
    with closing(connect(filled)) as db:
        migrations.migrate(db, filled, steps_to_come(), newest=NEWEST)
    assert "rating" in columns(filled)


def test_two_that_open_at_once_migrate_once(filled):
    barrier, errors = threading.Barrier(4), []

    def run():
        try:
            with closing(connect(filled)) as db:
                barrier.wait()
                migrations.migrate(db, filled, steps_to_come(), newest=NEWEST)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert query(filled, "PRAGMA user_version") == [(NEWEST,)]
    assert "rating" not in columns(migrations.backup_path(filled, SCHEMA_VERSION))  # nobody backed up once more
