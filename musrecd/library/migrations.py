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
def create_journal(db: Database) -> None:
    """Create the journal of tags, see journal.py, and the queue of files that wait for theirs."""
    db.executescript("""
        CREATE TABLE tag_writes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run INTEGER NOT NULL,
            path BLOB NOT NULL CHECK (typeof(path) = 'blob'),
            audio_id TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('begun', 'done', 'undone')),
            written_at TEXT NOT NULL,
            genres_before TEXT NOT NULL,
            genres_after TEXT NOT NULL,
            file_before TEXT,
            beets_before TEXT,
            beets_after TEXT,
            source TEXT NOT NULL,
            probability REAL,
            undoes INTEGER,
            moods TEXT NOT NULL,
            size INTEGER,
            mtime_ns INTEGER
        );
        CREATE TABLE tag_runs (id INTEGER PRIMARY KEY AUTOINCREMENT, author TEXT NOT NULL, begun_at TEXT NOT NULL);
        CREATE INDEX tag_writes_by_recording ON tag_writes (audio_id, path, id);
        CREATE INDEX tag_writes_by_path ON tag_writes (path);
        CREATE INDEX tag_writes_by_run ON tag_writes (run);
        CREATE INDEX tag_writes_begun ON tag_writes (id) WHERE state = 'begun';

        CREATE TABLE tag_jobs (
            path BLOB PRIMARY KEY CHECK (typeof(path) = 'blob'),
            due_at REAL NOT NULL,
            attempts INTEGER NOT NULL
        ) WITHOUT ROWID;
    """)


_RAISE = "UPDATE meta SET value = value + 1 WHERE key = 'generation'"


@STEPS()
def create_looks(db: Database) -> None:
    """Create the table of looks that found nothing to do, and what counts the changes that outdate them.

    The counting is done by SQLite, so that no way of changing something can forget it: whatever lets a file be unknown,
    unheard or missing, and not what only tells more of one.
    """
    db.executescript(f"""
        CREATE TABLE looks (
            folder BLOB PRIMARY KEY CHECK (typeof(folder) = 'blob'),
            generation INTEGER NOT NULL,
            fingerprint TEXT NOT NULL,
            encoder_version TEXT NOT NULL,
            n_files INTEGER NOT NULL,
            n_folders INTEGER NOT NULL
        ) WITHOUT ROWID;
        INSERT INTO meta VALUES ('generation', '0');

        CREATE TRIGGER file_came AFTER INSERT ON files BEGIN {_RAISE}; END;
        CREATE TRIGGER file_went AFTER DELETE ON files BEGIN {_RAISE}; END;
        CREATE TRIGGER file_changed AFTER UPDATE ON files
            WHEN (OLD.path, OLD.recording_id, OLD.size, OLD.mtime_ns, OLD.missing_since)
                IS NOT (NEW.path, NEW.recording_id, NEW.size, NEW.mtime_ns, NEW.missing_since)
            BEGIN {_RAISE}; END;
        CREATE TRIGGER failure_came AFTER INSERT ON failures BEGIN {_RAISE}; END;
        CREATE TRIGGER failure_went AFTER DELETE ON failures BEGIN {_RAISE}; END;
        CREATE TRIGGER failure_changed AFTER UPDATE ON failures BEGIN {_RAISE}; END;
        CREATE TRIGGER analysis_went AFTER DELETE ON analyses BEGIN {_RAISE}; END;
        CREATE TRIGGER analysis_changed AFTER UPDATE ON analyses
            WHEN (OLD.encoder_id, OLD.recording_id, OLD.damaged) IS NOT (NEW.encoder_id, NEW.recording_id, NEW.damaged)
            BEGIN {_RAISE}; END;
    """)  # noqa: S608  # nothing in it comes from outside


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


@STEPS()
def add_tags(db: Database) -> None:
    """Add what a file says of genres (as JSON, empty for none) and year.

    Whether a recording has a file that is not missing is now told by an index alone.
    """
    db.executescript("""
        ALTER TABLE files ADD COLUMN genres TEXT NOT NULL DEFAULT '';
        ALTER TABLE files ADD COLUMN year INTEGER;
        DROP INDEX files_of_recording;
        CREATE INDEX files_of_recording ON files (recording_id, missing_since);
    """)


@STEPS()
def add_hearing(db: Database) -> None:
    """Add which hearing an analysis comes from, and which one is wanted of each encoder; none was known before.

    A look finds something to do when more is wanted than there was, or an analysis gets worse.
    """
    db.executescript(f"""
        ALTER TABLE analyses ADD COLUMN hearing INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE encoders ADD COLUMN hearing INTEGER NOT NULL DEFAULT 0;
        CREATE TRIGGER analysis_worsened AFTER UPDATE ON analyses WHEN NEW.hearing < OLD.hearing BEGIN {_RAISE}; END;
        CREATE TRIGGER hearing_improved AFTER UPDATE ON encoders WHEN NEW.hearing > OLD.hearing BEGIN {_RAISE}; END;
    """)


@STEPS()
def create_suggestions(db: Database) -> None:
    """Create the table of how often each recording was suggested."""
    db.executescript("""
        CREATE TABLE suggestions (
            recording_id INTEGER PRIMARY KEY REFERENCES recordings (id),
            n INTEGER NOT NULL,
            last_at TEXT NOT NULL
        );
    """)


@STEPS()
def add_heard_tags(db: Database) -> None:
    """Let the journal tell tempo and key, and which writes an `undo last` could not take back."""
    db.executescript("""
        ALTER TABLE tag_writes ADD COLUMN bpm INTEGER;
        ALTER TABLE tag_writes ADD COLUMN "key" TEXT;
        ALTER TABLE tag_writes ADD COLUMN spared INTEGER NOT NULL DEFAULT 0;
    """)


@STEPS()
def create_item_hints(db: Database) -> None:
    """Create the table of which item of beets is which recording in which row, see items.py.

    It may be emptied at any time.
    """
    db.executescript("""
        CREATE TABLE item_hints (
            item_id INTEGER PRIMARY KEY, recording_id INTEGER NOT NULL, "row" INTEGER NOT NULL
        );
        CREATE INDEX item_hints_by_recording ON item_hints (recording_id);
    """)


@STEPS()
def create_chunks(db: Database) -> None:
    """Create the table of how recordings sound piece by piece, see chunks.py; what was heard before has none.

    `id` is that of `outputs`.
    """
    db.executescript("""
        CREATE TABLE chunks (
            id INTEGER PRIMARY KEY,
            spans BLOB NOT NULL,
            directions BLOB NOT NULL,
            checksum INTEGER NOT NULL
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
