"""Files and their failures as the writer keeps them: where a recording lies, and what could not be heard.

What changes something here runs within a transaction of `store.Library`.
"""

import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from musrecd.library.database import chunks, in_list
from musrecd.library.encoding import clamp, clean_text, genres_to_text, now, search_text
from musrecd.library.jobs import Jobs
from musrecd.types import FileState, Tags

State: TypeAlias = tuple[bytes, int, int]  # path, size, mtime_ns

_KNOWN = """
    SELECT f.path, f.size, f.mtime_ns, f.missing_since IS NOT NULL, a.recording_id IS NOT NULL
    FROM files f
    LEFT JOIN encoders e ON e.version = ?
    LEFT JOIN analyses a
        ON a.recording_id = f.recording_id AND a.encoder_id = e.id AND a.damaged = 0 AND a.hearing >= e.hearing
    WHERE f.path IN (?*)
"""
_UPSERT_FILE = """
    INSERT INTO files (path, recording_id, size, mtime_ns, artist, title, album, genres, year, search)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (path) DO UPDATE
    SET recording_id = excluded.recording_id, size = excluded.size, mtime_ns = excluded.mtime_ns,
        artist = excluded.artist, title = excluded.title, album = excluded.album, genres = excluded.genres,
        year = excluded.year, search = excluded.search, missing_since = NULL
"""
_RETAG = """
    UPDATE files SET artist = ?, title = ?, album = ?, genres = ?, year = ?, search = ? WHERE path = ?
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


_HAS = """
    SELECT 1 FROM files WHERE path = ? UNION ALL SELECT 1 FROM failures WHERE path = ? AND reason = 'unreadable'
"""


class Files:
    """The tables `files` and `failures`."""

    def __init__(self, connection: sqlite3.Connection, jobs: Jobs) -> None:
        self._connection = connection
        self._jobs = jobs

    def known(self, files: Sequence[FileState], encoder_version: str) -> tuple[set[State], list[bytes]]:
        """Return which files are analysed with the version as they lie there, and which were missing till now."""
        seen = {state(file) for file in files}
        paths = [file.path for file in files]
        known = self._rows(in_list(_KNOWN, paths), [encoder_version, *paths])
        returned = [path for path, size, mtime, missing, _ in known if missing and (path, size, mtime) in seen]
        return {(path, size, mtime) for path, size, mtime, _, analysed in known if analysed}, returned

    def failed(self, files: Sequence[FileState], encoder_version: str, give_up_after: int | None) -> set[State]:
        """Return which files failed as they lie there and are not worth another try."""
        paths = [file.path for file in files]
        most = math.inf if give_up_after is None else give_up_after
        return set(self._rows(in_list(_FAILED, paths), [encoder_version, most, *paths]))

    def unchanged(self, files: Sequence[FileState]) -> set[bytes]:
        """Return the paths that hold what they held when they were last heard."""
        sql = "SELECT path, size, mtime_ns FROM files WHERE path IN (?*)"
        paths = [file.path for file in files]
        known = {row for chunk in chunks(paths) for row in self._rows(in_list(sql, chunk), chunk)}
        return {file.path for file in files if state(file) in known}

    def has(self, path: bytes) -> bool:
        """Whether a file was ever heard under this name, or could not be read."""
        return bool(self._rows(_HAS, [path, path]))

    def put(self, file: FileState, recording_id: int, tags: Tags) -> None:
        """Let a file point at a recording; it waits no more and has not failed."""
        path, size, mtime_ns = state(file)
        self._connection.execute(_UPSERT_FILE, [path, recording_id, size, mtime_ns, *_tag_columns(path, tags)])
        self._connection.execute("DELETE FROM failures WHERE path = ?", [path])
        self._jobs.remove([path])

    def put_failure(self, file: FileState, encoder_version: str, reason: str, message: str) -> None:
        """Remember a failure; the tries of a file that did not change are counted."""
        texts = [clean_text(text) for text in (encoder_version, reason, message)]
        self._connection.execute(_UPSERT_FAILURE, [*state(file), *texts, now()])

    def move(self, source: bytes, destination: bytes) -> bool:
        """Rename a file, over what was at the destination; False if it is unknown."""
        found = self._rows("SELECT artist, title, album FROM files WHERE path = ?", [source])
        if found:
            self._connection.execute(
                "UPDATE OR REPLACE files SET path = ?, search = ?, missing_since = NULL WHERE path = ?",
                [destination, search_text(destination, *found[0]), source],
            )
        self._connection.execute("UPDATE OR REPLACE failures SET path = ? WHERE path = ?", [destination, source])
        self._jobs.move(source, destination)
        return bool(found)

    def refresh(self, files: Iterable[FileState]) -> None:
        """Take note of new sizes and times."""
        states = ((size, mtime_ns, path) for path, size, mtime_ns in map(state, files))
        self._connection.executemany("UPDATE files SET size = ?, mtime_ns = ? WHERE path = ?", states)

    def retag(self, tags: Mapping[bytes, Tags], genres: Mapping[bytes, tuple[str, ...]]) -> None:
        """Take note of new tags, or of new genres alone."""
        self._connection.executemany(_RETAG, ((*_tag_columns(path, each), path) for path, each in tags.items()))
        values = ((genres_to_text(each), path) for path, each in genres.items())
        self._connection.executemany("UPDATE files SET genres = ? WHERE path = ?", values)

    def mark_missing(self, paths: Sequence[bytes]) -> int:
        """Mark files, forget their failures and let them wait no more; returns how many were marked."""
        self._for_paths("DELETE FROM failures WHERE path IN (?*)", paths)
        self._jobs.remove(paths)
        sql = "UPDATE files SET missing_since = ? WHERE missing_since IS NULL AND path IN (?*)"
        return self._for_paths(sql, paths, now())

    def mark_seen(self, paths: Sequence[bytes]) -> int:
        """Unmark files; returns how many were marked."""
        sql = "UPDATE files SET missing_since = NULL WHERE missing_since IS NOT NULL AND path IN (?*)"
        return self._for_paths(sql, paths)

    def _rows(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()

    def _for_paths(self, sql: str, paths: Sequence[bytes], *before: object) -> int:
        counts = (self._connection.execute(in_list(sql, chunk), [*before, *chunk]).rowcount for chunk in chunks(paths))
        return sum(counts)


def state(file: FileState) -> State:
    """Return a file as the library holds it."""
    return file.path, clamp(file.size), clamp(file.mtime_ns)


def _tag_columns(path: bytes, tags: Tags) -> list[object]:
    texts = [clean_text(text) for text in (tags.artist, tags.title, tags.album)]
    year = None if tags.year is None else clamp(tags.year)
    return [*texts, genres_to_text(tags.genres), year, search_text(path, *texts)]
