"""What a person is told of a library: how much it holds, and what failed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

# Runs a statement and returns its rows.
Rows: TypeAlias = Callable[[str], list[tuple[Any, ...]]]

_COUNTS = """
    SELECT
        (SELECT count(*) FROM files),
        (SELECT count(*) FROM recordings),
        (SELECT count(*) FROM files WHERE missing_since IS NOT NULL),
        (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)
"""
_FAILURES = "SELECT path, reason, message, encoder_version, attempts, failed_at FROM failures ORDER BY path"


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be analysed, and why."""

    path: bytes
    reason: str
    message: str
    encoder_version: str
    attempts: int
    failed_at: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What `status` says of a library: `analysed` counts by encoder version, `failures` by reason."""

    files: int
    recordings: int
    missing: int
    analysed: dict[str, int]
    failures: dict[str, int]
    journal_mode: str
    database_bytes: int


def summarise(rows: Rows) -> Summary:
    """Count everything."""
    files, recordings, missing, n_bytes = rows(_COUNTS)[0]
    return Summary(
        files=files,
        recordings=recordings,
        missing=missing,
        analysed=dict(rows("SELECT version, n_rows FROM encoders ORDER BY id")),
        failures=dict(rows("SELECT reason, count(*) FROM failures GROUP BY reason ORDER BY reason")),
        journal_mode=rows("PRAGMA journal_mode")[0][0],
        database_bytes=n_bytes,
    )


def list_failures(rows: Rows) -> list[Failure]:
    """List what failed, by path."""
    return [Failure(*columns) for columns in rows(_FAILURES)]
