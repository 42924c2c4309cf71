"""Looks through folders that found nothing to do: as long as nothing they saw changes, neither would another one."""

import sqlite3
from dataclasses import dataclass

from musrecd.library.database import Rows

_GENERATION = "SELECT value FROM meta WHERE key = 'generation'"
_NOTED = """
    SELECT n_files, n_folders FROM looks
    WHERE folder = ? AND generation = ? AND fingerprint = ? AND encoder_version = ?
"""


@dataclass(frozen=True, slots=True)
class Sight:
    """All that a look through a folder depends on: library, folder and encoder, each as it was before the look.

    SQLite raises the `generation` of a library itself with each change that could let a look find something to do.
    Not all who look find the same worth doing: each `asker` believes only his own notes.
    """

    generation: int
    fingerprint: str
    encoder_version: str
    asker: str = ""

    def key(self, folder: bytes) -> bytes:
        """Under which a look through a folder is noted; no name of a folder has a null in it."""
        return folder + b"\0" + self.asker.encode() if self.asker else folder


def read_generation(rows: Rows) -> int:
    """Read how often the library has changed."""
    return int(rows(_GENERATION, [])[0][0])


def noted_look(rows: Rows, folder: bytes, sight: Sight) -> tuple[int, int] | None:
    """How many files and folders a look of that sight found; None if it found something to do, or was not noted."""
    found = rows(_NOTED, [sight.key(folder), sight.generation, sight.fingerprint, sight.encoder_version])
    return (found[0][0], found[0][1]) if found else None


def note_look(connection: sqlite3.Connection, folder: bytes, sight: Sight, n_files: int, n_folders: int) -> None:
    """Take note of a look that found nothing to do, in place of the last one of that folder."""
    connection.execute(
        "INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?)",
        [sight.key(folder), sight.generation, sight.fingerprint, sight.encoder_version, n_files, n_folders],
    )
