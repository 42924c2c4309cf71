"""How often each recording was suggested, so that others may have their turn."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from musrecd.library.database import connect
from musrecd.library.encoding import now

# Whoever asks does not wait for that.
_BUSY_TIMEOUT_S = 0.2
_NOTE = """
    INSERT INTO suggestions (recording_id, n, last_at) SELECT id, 1, ? FROM recordings WHERE id = ?
    ON CONFLICT (recording_id) DO UPDATE SET n = n + 1, last_at = excluded.last_at
"""
SUGGESTED = """
    SELECT a."row", s.n FROM suggestions s
    CROSS JOIN analyses a ON a.recording_id = s.recording_id AND a.encoder_id = ?
"""


def note_suggested(path: Path, recording_ids: Iterable[int]) -> None:
    """Count recordings that a person was just shown; nothing if the library cannot be written now.

    Unknown ids are passed over. With the standard library's sqlite3 alone, for whoever asks.
    """
    at = now()
    with suppress(sqlite3.Error), closing(connect(path, "rw", _BUSY_TIMEOUT_S)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_NOTE, [(at, int(number)) for number in recording_ids])
        connection.execute("COMMIT")
