"""The schema as numbered steps: all that are due run in one transaction, after a backup."""

import uuid
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from musrecd.library.backups import backup
from musrecd.library.database import APPLICATION_ID, SCHEMA_VERSION, schema_version

STEPS = Migrations("musrec")


@STEPS()
def create_tables(db: Database) -> None:
    """Create the tables, each for one question that must be instant at a million tracks.

    `files` has its path as the key, so that a path is found in one descent and the files of a recording
    come sorted by path. `analyses` is narrow and its index on (encoder_id, row) holds recording_id too,
    so that going from a row of the matrix to a recording never touches the BLOBs, which lie apart in
    `outputs` in the order of the matrix (see `encoding.slot`), for a rebuild in one pass.
    """
    db.executescript("""
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

        CREATE TABLE recordings (
            id INTEGER PRIMARY KEY,
            audio_id TEXT NOT NULL UNIQUE CHECK (length(audio_id) = 40),
            duration_s REAL NOT NULL,
            n_damaged_packets INTEGER NOT NULL,
            added_at TEXT NOT NULL
        );

        CREATE TABLE files (
            path BLOB PRIMARY KEY CHECK (typeof(path) = 'blob'),
            recording_id INTEGER NOT NULL REFERENCES recordings (id),
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            artist TEXT NOT NULL,
            title TEXT NOT NULL,
            album TEXT NOT NULL,
            missing_since TEXT,
            search TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX files_of_recording ON files (recording_id);
        CREATE INDEX files_missing ON files (missing_since) WHERE missing_since IS NOT NULL;

        CREATE TABLE encoders (
            id INTEGER PRIMARY KEY,
            version TEXT NOT NULL UNIQUE,
            dim INTEGER NOT NULL CHECK (dim > 0),
            labels TEXT NOT NULL,
            n_rows INTEGER NOT NULL DEFAULT 0,
            registered_at TEXT NOT NULL
        );

        CREATE TABLE analyses (
            encoder_id INTEGER NOT NULL REFERENCES encoders (id),
            recording_id INTEGER NOT NULL REFERENCES recordings (id),
            "row" INTEGER NOT NULL CHECK ("row" >= 0 AND "row" < 4294967296),
            damaged INTEGER NOT NULL DEFAULT 0,
            bpm REAL,
            bpm_confidence REAL,
            "key" TEXT,
            key_confidence REAL,
            analysed_at TEXT NOT NULL,
            PRIMARY KEY (encoder_id, recording_id)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX analyses_by_row ON analyses (encoder_id, "row");

        CREATE TABLE outputs (
            id INTEGER PRIMARY KEY,
            embedding BLOB NOT NULL,
            probabilities BLOB NOT NULL,
            checksum INTEGER NOT NULL
        );

        CREATE TABLE failures (
            path BLOB PRIMARY KEY CHECK (typeof(path) = 'blob'),
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            encoder_version TEXT NOT NULL,
            reason TEXT NOT NULL,
            message TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            failed_at TEXT NOT NULL
        ) WITHOUT ROWID;
    """)
    db.execute("INSERT INTO meta VALUES ('library_uuid', ?)", [uuid.uuid4().hex])


@STEPS()
def create_queue(db: Database) -> None:
    """Create the queue of the daemon; `id` is the order of arrival, `due_at` seconds since 1970."""
    db.executescript("""
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE CHECK (typeof(path) = 'blob'),
            priority INTEGER NOT NULL,
            due_at REAL NOT NULL,
            attempts INTEGER NOT NULL
        );
        CREATE INDEX jobs_by_urgency ON jobs (priority, id, due_at);
    """)


@STEPS()
def create_heads(db: Database) -> None:
    """Create the table of what was learnt of a person's own genres, for each encoder by itself."""
    db.executescript("""
        CREATE TABLE heads (
            encoder_id INTEGER PRIMARY KEY REFERENCES encoders (id),
            content BLOB NOT NULL,
            checksum INTEGER NOT NULL,
            learnt_at TEXT NOT NULL
        );
    """)


def migrate(db: Database, path: Path, steps: Migrations = STEPS, newest: int = SCHEMA_VERSION) -> None:
    """Bring the file at `path` to the newest schema: wholly, or not at all.

    The steps run as savepoints of one BEGIN IMMEDIATE transaction, so that a kill between two of them
    leaves the old schema and two processes that open at once migrate once.
    """
    if schema_version(db.conn, path, newest) == newest:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        found = schema_version(db.conn, path, newest)  # again: another process may have been quicker
        if 0 < found < newest:
            backup(path, backup_path(path, found))
        steps.apply(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {newest}")
        db.commit()
    finally:
        db.rollback()  # does nothing after the commit


def backup_path(path: Path, version: int) -> Path:
    """Where the library of an older schema is kept before it is migrated."""
    return path.with_name(f"{path.name}.schema-{version}.backup")
