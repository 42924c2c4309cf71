"""Gives back what nobody asks for any more: analyses by superseded encoders, left-over files of rows, free pages.

Rows of the answering encoder are never taken away or renumbered: readers hold maps of them, and a file that was missing
for long needs no new analysis when it is seen again.

All but `shrink` runs within a transaction of `store.Library`.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from musrecd.library.encoders import ENCODERS, StoredEncoder
from musrecd.library.encoding import slot
from musrecd.library.rowfile import files_beside

# Whoever tries another encoder can go back within that.
_KEPT = timedelta(days=7)
_MOST_FREE = 0.25
_WORTH_IT_BYTES = 4 * 2**20

# Of two encoders the one that somebody began to use later is in use; the other is superseded when that has heard
# every file that is there.
_SUPERSEDED = """
    SELECT old.id FROM encoders old
    JOIN encoders used ON used.id = (SELECT id FROM encoders ORDER BY n_rows DESC, id DESC LIMIT 1)
    WHERE old.registered_at < used.registered_at AND old.registered_at < ?
        AND NOT EXISTS (
            SELECT 1 FROM files f
            JOIN analyses a ON a.encoder_id = old.id AND a.recording_id = f.recording_id
            WHERE f.missing_since IS NULL AND NOT EXISTS (
                SELECT 1 FROM analyses b
                WHERE b.encoder_id = used.id AND b.recording_id = f.recording_id AND b.damaged = 0
            )
        )
    ORDER BY old.id
"""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was given back: how many encoders and files of rows, and how many bytes of the database."""

    n_encoders: int
    n_files: int
    n_bytes: int


def drop_superseded(connection: sqlite3.Connection) -> int:
    """Delete all that superseded encoders heard and what was learnt with them; returns how many encoders those were."""
    before = (datetime.now(UTC) - _KEPT).isoformat(timespec="seconds")
    numbers = [number for (number,) in connection.execute(_SUPERSEDED, [before])]
    for number in numbers:
        bounds = [slot(number, 0), slot(number + 1, 0)]
        connection.execute("DELETE FROM outputs WHERE id >= ? AND id < ?", bounds)
        connection.execute("DELETE FROM chunks WHERE id >= ? AND id < ?", bounds)
        connection.execute("DELETE FROM analyses WHERE encoder_id = ?", [number])
        connection.execute("DELETE FROM heads WHERE encoder_id = ?", [number])
        connection.execute("DELETE FROM encoders WHERE id = ?", [number])
    return len(numbers)


def remove_left_over(connection: sqlite3.Connection, path: Path) -> int:
    """Remove files of rows that no encoder has, and unfinished ones; returns how many. Raises OSError.

    Only after the transaction that dropped the encoder: until then readers may want its file. Who has one mapped
    keeps it.
    """
    encoders = [StoredEncoder.from_columns(columns) for columns in connection.execute(ENCODERS)]
    wanted = {file.path for encoder in encoders for file in encoder.files(path, connection)}
    found = {*files_beside(path), *files_beside(path, ".new")}
    for each in found - wanted:
        each.unlink(missing_ok=True)
    return len(found - wanted)


def shrink(connection: sqlite3.Connection) -> int:
    """Write the database anew if much of it is free; returns by how many bytes it became smaller.

    Others wait meanwhile, and the disk holds it twice. Raises sqlite3.Error.
    """
    n_pages, n_free, page_bytes = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    if n_free < _MOST_FREE * n_pages or n_free * page_bytes < _WORTH_IT_BYTES:
        return 0
    connection.execute("VACUUM")
    return int((n_pages - connection.execute("PRAGMA page_count").fetchone()[0]) * page_bytes)
