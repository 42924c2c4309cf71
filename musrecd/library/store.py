"""The library as its one writer sees it: short transactions that are whole or did not happen."""

import logging
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias

from sqlite_utils import Database

from musrecd.errors import LibraryError
from musrecd.library import migrations
from musrecd.library.analyses import Analyses
from musrecd.library.database import (
    PATIENT_TIMEOUT_S,
    Closing,
    chunks,
    connect,
    create_private,
    in_list,
    library_errors,
    resolved,
    shown,
    wal_is_safe,
)
from musrecd.library.encoding import check_audio_id, clamp, clean_text, now, search_text
from musrecd.library.jobs import Jobs
from musrecd.types import Analysis, EncoderInfo, FileState, Job, Priority, Tags

_log = logging.getLogger(__name__)

_State: TypeAlias = tuple[bytes, int, int]

_KNOWN = """
    SELECT f.path, f.size, f.mtime_ns, f.missing_since IS NOT NULL, a.recording_id IS NOT NULL
    FROM files f
    LEFT JOIN analyses a ON a.recording_id = f.recording_id AND a.damaged = 0
        AND a.encoder_id = (SELECT id FROM encoders WHERE version = ?)
    WHERE f.path IN (?*)
"""
_UPSERT_FILE = """
    INSERT INTO files (path, recording_id, size, mtime_ns, artist, title, album, search)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (path) DO UPDATE
    SET recording_id = excluded.recording_id, size = excluded.size, mtime_ns = excluded.mtime_ns,
        artist = excluded.artist, title = excluded.title, album = excluded.album,
        search = excluded.search, missing_since = NULL
"""
_UPSERT_FAILURE = """
    INSERT INTO failures (path, size, mtime_ns, encoder_version, reason, message, attempts, failed_at)
    VALUES (?, ?, ?, ?, ?, ?, 1, ?)
    ON CONFLICT (path) DO UPDATE
    SET attempts = CASE WHEN size = excluded.size AND mtime_ns = excluded.mtime_ns
            AND encoder_version = excluded.encoder_version THEN attempts + 1 ELSE 1 END,
        size = excluded.size, mtime_ns = excluded.mtime_ns, encoder_version = excluded.encoder_version,
        reason = excluded.reason, message = excluded.message, failed_at = excluded.failed_at
"""

# What could not be read may be readable now, by another person or with other rights; a worker that died may
# have been killed for reasons that had nothing to do with the file, once.
_FAILED = """
    SELECT path, size, mtime_ns FROM failures
    WHERE encoder_version = ? AND attempts >= CASE reason WHEN 'unreadable' THEN ? WHEN 'worker' THEN 2 ELSE 0 END
        AND path IN (?*)
"""


class Library(Closing):
    """The library opened for writing. Several may be open, in one process or many; they take turns."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        # Plugins of sqlite-utils have no business here and cost time; recursive triggers we have none.
        self._db = Database(connection, execute_plugins=False, recursive_triggers=False)
        self._analyses = Analyses(connection, path)
        self._jobs = Jobs(connection)

    @classmethod
    def open(cls, path: Path, *, busy_timeout_s: float = PATIENT_TIMEOUT_S) -> Self:
        """Open the library at `path`, made anew if there is none and migrated if it is an older one."""
        path = resolved(path)
        with library_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                create_private(path)
            library = cls(path, connect(path, "rw", busy_timeout_s))
        try:
            library._prepare()
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Close the connection; an open transaction is undone."""
        self._db.close()

    def register_encoder(self, info: EncoderInfo) -> None:
        """Make an encoder known, so that analyses of its version can be added. Idempotent."""
        with self._transaction():
            self._analyses.register(info)

    def pending(
        self,
        files: Iterable[FileState],
        encoder_version: str,
        *,
        retry_failed: bool = False,
        force: bool = False,
        give_up_after: int | None = None,
    ) -> Iterator[FileState]:
        """Which of these files are to be analysed with that version, in their order.

        That is: unknown, changed in size or time, or holding a recording without a sound analysis of the
        version; with `force` those that are done, too. What failed before in the same state is left out
        unless `retry_failed`; what could not be read only if that was so `give_up_after` times. Files that
        were marked missing and are seen unchanged are missing no more.
        """
        for chunk in chunks(files):
            done = self._done(chunk, encoder_version)
            failed = self._failed(chunk, encoder_version, give_up_after)
            left_out = (set() if force else done) | (set() if retry_failed else failed)
            yield from (file for file in chunk if _state(file) not in left_out)

    def unchanged(self, files: Sequence[FileState]) -> set[bytes]:
        """Which of these paths hold what they held when they were last heard, by whatever version."""
        paths = [file.path for file in files]
        known = set(self._rows_for("SELECT path, size, mtime_ns FROM files WHERE path IN (?*)", paths))
        return {file.path for file in files if _state(file) in known}

    def add(self, file: FileState, analysis: Analysis, tags: Tags) -> None:
        """Store what was heard in a file. The same recording and version again overwrites its row."""
        with self._transaction():
            recording_id = self._analyses.put(analysis)
            self._put_file(file, recording_id, tags)

    def attach(self, file: FileState, audio_id: str, tags: Tags) -> None:
        """Let a moved, copied or retagged file point at the recording it holds, which is known already."""
        check_audio_id(audio_id)
        with self._transaction():
            found = self._rows("SELECT id FROM recordings WHERE audio_id = ?", [audio_id])
            if not found:
                raise LibraryError(f"no recording {audio_id} in the library; analyse the file first")
            self._put_file(file, found[0][0], tags)

    def add_failure(
        self, file: FileState, encoder_version: str, reason: str, message: str, *, retry_at: float | None = None
    ) -> None:
        """Remember that a file could not be analysed; what was known of its path stays.

        If it was waiting in the queue it does so again until `retry_at` (seconds since 1970), if that is said.
        """
        texts = [clean_text(text) for text in (encoder_version, reason, message)]
        with self._transaction():
            self._db.execute(_UPSERT_FAILURE, [*_state(file), *texts, now()])
            if retry_at is None:
                self._jobs.remove([file.path])
            else:
                self._jobs.postpone(file.path, retry_at)

    def enqueue(
        self, paths: Iterable[bytes], priority: Priority, *, due_at: float = 0.0, patient: bool = False
    ) -> None:
        """Let files wait to be heard, from `due_at` (seconds since 1970) on; see `jobs.py`."""
        paths = list(paths)
        with self._transaction():
            self._jobs.put(paths, priority, due_at, patient=patient)

    def due_jobs(self, now: float, number: int) -> list[Job]:
        """Return the most urgent jobs whose time has come."""
        with library_errors(self.path):
            return self._jobs.due(now, number)

    def remove_jobs(self, paths: Iterable[bytes]) -> None:
        """Let files wait no more."""
        paths = list(paths)
        with self._transaction():
            self._jobs.remove(paths)

    def move(self, source: bytes, destination: bytes) -> bool:
        """Rename a file in the library, over what was at the destination; False if it is unknown."""
        return self.move_all([(source, destination)]) == 1

    def move_all(self, moves: Iterable[tuple[bytes, bytes]]) -> int:
        """Rename files one after the other, (from, to) each; returns how many of them were known."""
        moves = list(moves)
        with self._transaction():
            return sum(self._move(source, destination) for source, destination in moves)

    def refresh(self, files: Iterable[FileState]) -> None:
        """Take note that files were rewritten by somebody who left their sound alone; unknown ones are ignored."""
        states = [(size, mtime_ns, path) for path, size, mtime_ns in map(_state, files)]
        with self._transaction():
            self._db.conn.executemany("UPDATE files SET size = ?, mtime_ns = ? WHERE path = ?", states)

    def mark_missing(self, paths: Iterable[bytes]) -> int:
        """Mark files that are no longer there, and forget their failures; returns how many were marked.

        They answer no question any more but are not forgotten: seen again, they need no new analysis.
        """
        paths = list(paths)  # a slow generator must not hold the write lock
        with self._transaction():
            self._for_paths("DELETE FROM failures WHERE path IN (?*)", paths)
            self._jobs.remove(paths)
            return self._for_paths(
                "UPDATE files SET missing_since = ? WHERE missing_since IS NULL AND path IN (?*)",
                paths,
                now(),
            )

    def mark_seen(self, paths: Iterable[bytes]) -> int:
        """Unmark files that were missing and are there again; returns how many were."""
        paths = list(paths)
        with self._transaction():
            return self._for_paths(
                "UPDATE files SET missing_since = NULL WHERE missing_since IS NOT NULL AND path IN (?*)",
                paths,
            )

    def verify(self) -> int:
        """Check the whole library; damaged analyses become pending again. Returns how many there are.

        Reads everything, a gigabyte at a million tracks, and makes the vector files anew. Damage to the
        database itself raises.
        """
        if self._rows("PRAGMA quick_check(1)") != [("ok",)]:
            raise LibraryError(
                f"the library {shown(self.path)} is damaged; move it aside, "
                "then restore a backup or scan your music again"
            )
        with self._transaction():
            return self._analyses.verify()

    def backup(self, destination: Path) -> None:
        """Copy the library, in use or not, to another file; the vectors beside that are made when opened."""
        migrations.backup(self.path, destination)

    def _prepare(self) -> None:
        with library_errors(self.path):
            self._db.execute("PRAGMA foreign_keys = ON")
            # A commit survives a power failure, too: the directory entry of the journal is flushed.
            self._db.execute("PRAGMA synchronous = EXTRA")
            migrations.migrate(self._db, self.path)
            self._choose_journal()
            ready = self._analyses.vectors_are_ready()
        if not ready:
            self._ready_vectors()

    def _choose_journal(self) -> None:
        try:
            if wal_is_safe():
                self._db.enable_wal()
            else:
                self._db.disable_wal()
        except sqlite3.OperationalError as error:  # others have it open: the mode that is set serves, too
            _log.info("journal mode of %s left as it is: %s", shown(self.path), error)

    def _ready_vectors(self) -> None:
        try:
            with self._transaction():
                self._analyses.ready_vectors()
        except LibraryError as error:  # the vector files only make asking faster
            _log.warning("the vector files could not be put right: %s", error)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with library_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.commit()
            finally:
                self._db.rollback()  # does nothing after the commit

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with library_errors(self.path):
            return self._db.execute(sql, parameters).fetchall()

    def _rows_for(self, sql: str, paths: Sequence[bytes]) -> list[tuple[Any, ...]]:
        return [row for chunk in chunks(paths) for row in self._rows(in_list(sql, chunk), chunk)]

    def _for_paths(self, sql: str, paths: Sequence[bytes], *before: object) -> int:
        return sum(self._db.execute(in_list(sql, chunk), [*before, *chunk]).rowcount for chunk in chunks(paths))

    def _done(self, files: Sequence[FileState], encoder_version: str) -> set[_State]:
        seen = {_state(file) for file in files}
        paths = [file.path for file in files]
        known = self._rows(in_list(_KNOWN, paths), [encoder_version, *paths])
        returned = [path for path, size, mtime, missing, _ in known if missing and (path, size, mtime) in seen]
        if returned:
            self.mark_seen(returned)
        return {(path, size, mtime) for path, size, mtime, _, analysed in known if analysed}

    def _failed(self, files: Sequence[FileState], encoder_version: str, give_up_after: int | None) -> set[_State]:
        paths = [file.path for file in files]
        most = math.inf if give_up_after is None else give_up_after
        return set(self._rows(in_list(_FAILED, paths), [encoder_version, most, *paths]))

    def _move(self, source: bytes, destination: bytes) -> bool:
        found = self._rows("SELECT artist, title, album FROM files WHERE path = ?", [source])
        if found:
            self._db.execute(
                "UPDATE OR REPLACE files SET path = ?, search = ?, missing_since = NULL WHERE path = ?",
                [destination, search_text(destination, *found[0]), source],
            )
        self._db.execute("UPDATE OR REPLACE failures SET path = ? WHERE path = ?", [destination, source])
        self._jobs.move(source, destination)
        return bool(found)

    def _put_file(self, file: FileState, recording_id: int, tags: Tags) -> None:
        texts = [clean_text(text) for text in (tags.artist, tags.title, tags.album)]
        path, size, mtime_ns = _state(file)
        self._db.execute(_UPSERT_FILE, [path, recording_id, size, mtime_ns, *texts, search_text(path, *texts)])
        self._db.execute("DELETE FROM failures WHERE path = ?", [path])
        self._jobs.remove([path])


def _state(file: FileState) -> _State:
    return file.path, clamp(file.size), clamp(file.mtime_ns)
