"""Takes note of damaged analyses, so that they are heard again.

Whoever asks meets them first and has only the standard library's sqlite3.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from musrecd.library.database import connect
from musrecd.library.jobs import Jobs
from musrecd.types import Priority

# Who asks does not wait for that; the weekly check finds them, too.
_BUSY_TIMEOUT_S = 0.2
_FILES = """
    SELECT path FROM files JOIN analyses USING (recording_id)
    WHERE encoder_id = ? AND recording_id = ? AND missing_since IS NULL
"""


def note_damaged(path: Path, encoder_id: int, recording_ids: Iterable[int]) -> None:
    """Mark analyses as damaged and let their files wait to be heard; nothing if the library cannot be written now."""
    with suppress(sqlite3.Error), closing(connect(path, "rw", _BUSY_TIMEOUT_S)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        mark_damaged(connection, encoder_id, recording_ids)
        connection.execute("COMMIT")


def mark_damaged(connection: sqlite3.Connection, encoder_id: int, recording_ids: Iterable[int]) -> None:
    """Do so within a transaction. Raises sqlite3.Error."""
    for recording_id in recording_ids:
        sql = "UPDATE analyses SET damaged = 1 WHERE encoder_id = ? AND recording_id = ?"
        connection.execute(sql, [encoder_id, recording_id])
        paths = [path for (path,) in connection.execute(_FILES, [encoder_id, recording_id])]
        # One is enough: all files of a recording share what is heard.
        Jobs(connection).put(paths[:1], Priority.NEW, 0.0, patient=True)
