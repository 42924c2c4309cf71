"""Heads: what was learnt of a person's own genres, one for each encoder version, as bytes that are not read here."""

import sqlite3
import zlib
from collections.abc import Sequence
from typing import Any

from musrecd.errors import LibraryError
from musrecd.library.encoding import now

READ = """
    SELECT h.content, h.checksum FROM heads h JOIN encoders e ON e.id = h.encoder_id WHERE e.version = ?
"""
VERSIONS = "SELECT e.version FROM heads h JOIN encoders e ON e.id = h.encoder_id ORDER BY h.learnt_at"
_PUT = """
    INSERT OR REPLACE INTO heads (encoder_id, content, checksum, learnt_at)
    SELECT id, ?, ?, ? FROM encoders WHERE version = ?
"""


def put(connection: sqlite3.Connection, version: str, content: bytes) -> None:
    """Store the head of an encoder in place of the one it had. Raises LibraryError if the encoder is unknown."""
    stored = connection.execute(_PUT, [content, zlib.crc32(content), now(), version])
    if not stored.rowcount:
        raise LibraryError(f"encoder version {version!r} is not registered in the library")


def forget(connection: sqlite3.Connection) -> int:
    """Delete the heads of all encoders; returns how many there were."""
    return connection.execute("DELETE FROM heads").rowcount


def sound_content(rows: Sequence[tuple[Any, ...]]) -> bytes | None:
    """Take the content from what `READ` found; None if that is nothing. Raises LibraryError if it is damaged."""
    if not rows:
        return None
    [(content, checksum)] = rows
    if not isinstance(content, bytes) or zlib.crc32(content) != checksum:
        raise LibraryError("the learnt genres in the library are damaged; learn them again")
    return content
