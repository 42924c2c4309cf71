"""The items of a beets library: which of them are in which rows. beets' own database is only read.

beets finds an item by its number at once, but by its path only by going through all of them. So the library notes
which number is which recording. A note may be out of date, therefore each is compared with both databases when it is
used; and as long as neither changed since all was noted, what has no note is no item.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from musrecd.library.database import Rows, chunks, connect, in_list
from musrecd.types import Tags

if TYPE_CHECKING:
    from musrecd.library.reader import LibraryReader

# beets keeps paths within its directory relative to it.
_ABSOLUTE = "CASE WHEN substr(i.path, 1, 1) = CAST('/' AS BLOB) THEN i.path ELSE CAST(? || i.path AS BLOB) END"
_COLUMNS = "i.id, i.artist, i.title, i.album, i.genres, i.year"
_NOTED = f"""
    SELECT a."row", {_COLUMNS}
    FROM analyses a
    CROSS JOIN item_hints h ON h.recording_id = a.recording_id
    CROSS JOIN beets.items i ON i.id = h.item_id
    CROSS JOIN files f ON f.path = {_ABSOLUTE} AND f.recording_id = a.recording_id AND f.missing_since IS NULL
    WHERE a.encoder_id = ? AND a."row" IN (?*)
    ORDER BY f.path DESC
"""  # noqa: S608  # nothing in it comes from outside
_NUMBERED = f"SELECT {_ABSOLUTE}, {_COLUMNS} FROM beets.items i WHERE i.id IN (?*)"  # noqa: S608
_AT = f"SELECT i.path, {_COLUMNS} FROM beets.items i WHERE i.path IN (?*)"  # noqa: S608
_ROWS_NOTED = """
    SELECT h."row" FROM (SELECT id FROM beets.items{where}) o CROSS JOIN item_hints h ON h.item_id = o.id
"""
_HEARD = f"""
    CROSS JOIN files f ON f.path = {_ABSOLUTE} AND f.missing_since IS NULL
    CROSS JOIN analyses a ON a.encoder_id = ? AND a.recording_id = f.recording_id
"""
_ROWS_AT = f'SELECT a."row" FROM (SELECT path FROM beets.items{{where}}) i {_HEARD}'  # noqa: S608
_UNHEARD = f"""
    SELECT count(*) FROM (SELECT path FROM beets.items{{newest}}) i WHERE NOT EXISTS (
        SELECT 1 FROM files f CROSS JOIN analyses a ON a.encoder_id = ? AND a.recording_id = f.recording_id
        WHERE f.path = {_ABSOLUTE} AND f.missing_since IS NULL
    )
"""  # noqa: S608
_NOTE = f'INSERT INTO item_hints SELECT i.id, a.recording_id, a."row" FROM beets.items i {_HEARD}'  # noqa: S608
_STATE = "items/state"
_N_UNHEARD = "items/unheard"
_META = "SELECT key, value FROM meta WHERE key IN ('generation', 'items/state', 'items/unheard')"
_PUT_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
# Between the values of a field that has several.
_SEPARATOR = "\\␀"
_NEWEST = 500
_LARGE = 200_000
# Whoever asks does not wait for that.
_BUSY_TIMEOUT_S = 0.2
# Two writes within the tick of a clock look alike.
_SETTLED_S = 1.0
# While files are heard one after the other every answer would be followed by noting everything.
_RESTS = 20


class Named(NamedTuple):
    """An item as beets names it; `year` is None if it has none."""

    number: int
    tags: Tags


class BeetsItems:
    """The items in the file `database`, whose relative paths begin in `folder`, and the rows of one encoder."""

    def __init__(
        self, reader: "LibraryReader", ask: Rows, encoder_id: int, version: str, beets: tuple[Path, bytes]
    ) -> None:
        self._reader, self._ask, self._encoder_id, self._version = reader, ask, encoder_id, version
        self._database, folder = beets
        self._folder = os.path.join(folder, b"")
        ask("ATTACH ? AS beets", [_uri(self._database)])
        self.look_again()

    def look_again(self) -> None:
        """See whether either database changed, for the next question."""
        self._stamp = _Stamp.of(self._database, self._folder, self._encoder_id)
        self._meta: dict[str, str] = dict(self._ask(_META, []))
        # Found at once, as counting is not; when all is shown the connection is closed.
        self._highest = int(self._ask("SELECT coalesce(max(id), 0) FROM beets.items", [])[0][0])

    def close(self) -> None:
        """Let go of beets' database."""
        self._ask("DETACH beets", [])

    @property
    def is_current(self) -> bool:
        """Whether neither database changed since all was noted."""
        return self._meta.get(_STATE) == f"{self._stamp.text} {self._meta['generation']}"

    def in_rows(self, rows: Iterable[int]) -> dict[int, Named]:
        """Name the item of each row; rows that beets manages no file of, missing ones excepted, are left out."""
        wanted = [int(row) for row in rows]
        found: dict[int, Named] = {}
        for row, *columns in self._in_chunks(_NOTED, wanted, self._folder, self._encoder_id):
            found[row] = _named(columns)
        if not self.is_current and (others := [row for row in wanted if row not in found]):
            found |= self._searched(others)
        return found

    def at(self, numbers: Iterable[int]) -> dict[bytes, Named]:
        """Name items by the whole path of their file; those that are not there are left out."""
        return {path: _named(columns) for path, *columns in self._in_chunks(_NUMBERED, numbers, self._folder)}

    def rows(self, clause: str | None = None, values: Sequence[Any] = ()) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Rows, each once and in order, of the items that satisfy a condition in SQL, of all if there is none."""
        where = f" WHERE {clause}" if clause else ""
        if self.is_current:
            found = self._ask(_ROWS_NOTED.format(where=where), values)
        else:
            found = self._ask(_ROWS_AT.format(where=where), [*values, self._folder, self._encoder_id])
        return np.unique(np.fromiter((row for (row,) in found), np.int64, len(found)))

    def count_unheard(self) -> int:
        """Count the items that are not analysed.

        After a change only the newest are looked up if all were analysed before it, and of very many items: to look up
        a hundred thousand takes longer than the answer below which the number stands.
        """
        noted = self._meta.get(_N_UNHEARD)
        is_large = self._highest > _LARGE
        if noted is not None and (self.is_current or (is_large and noted != "0")):
            return int(noted)
        limit = f" ORDER BY id DESC LIMIT {_NEWEST}" if is_large or noted == "0" else ""
        return int(self._ask(_UNHEARD.format(newest=limit), [self._encoder_id, self._folder])[0][0])

    def note(self, *, even_if_large: bool = True) -> None:
        """Note which item is which recording, unless all is noted, or was a moment ago, or cannot be written now.

        Takes .4 s for 100,000 items, and longer than anybody likes to wait for the prompt for very many. With the
        standard library's sqlite3 alone, for whoever asks.
        """
        if self.is_current or not self._stamp.is_settled or (not even_if_large and self._highest > _LARGE):
            return
        with suppress(sqlite3.Error), closing(connect(self._reader.path, "rw", _BUSY_TIMEOUT_S)) as connection:
            _Notes(connection, self._stamp.text, self._folder, self._encoder_id).renew(self._database)

    def _searched(self, rows: Sequence[int]) -> dict[int, Named]:
        tracks = self._reader.tracks_in_rows(rows, self._version)
        row_at = {track.path: row for row, files in tracks.items() for track in reversed(files)}
        paths = {path.removeprefix(self._folder): path for path in row_at}
        return {row_at[paths[path]]: _named(columns) for path, *columns in self._in_chunks(_AT, paths)}

    def _in_chunks(self, sql: str, values: Iterable[Any], *before: object) -> Iterable[tuple[Any, ...]]:
        for chunk in chunks(values):
            yield from self._ask(in_list(sql, chunk), [*before, *chunk])


class _Notes:
    """All notes anew, in one transaction."""

    def __init__(self, connection: sqlite3.Connection, stamp: str, folder: bytes, encoder_id: int) -> None:
        self._connection, self._stamp = connection, stamp
        self._folder, self._encoder_id = folder, encoder_id

    def renew(self, database: Path) -> None:
        self._connection.execute("ATTACH ? AS beets", [_uri(database)])
        self._connection.execute("BEGIN IMMEDIATE")
        meta = dict(self._connection.execute("SELECT key, value FROM meta WHERE key IN ('generation', 'items/rest')"))
        if float(meta.get("items/rest", 0)) > time.time():
            return
        began = time.monotonic()
        self._connection.execute("DELETE FROM item_hints")
        n_heard = self._connection.execute(_NOTE, [self._folder, self._encoder_id]).rowcount
        n_all = self._connection.execute("SELECT count(*) FROM beets.items").fetchone()[0]
        rest = time.time() + _RESTS * (time.monotonic() - began)
        state = f"{self._stamp} {meta['generation']}"
        values = [(_STATE, state), (_N_UNHEARD, str(n_all - n_heard)), ("items/rest", str(rest))]
        self._connection.executemany(_PUT_META, values)
        self._connection.execute("COMMIT")


def _uri(database: Path) -> str:
    return f"{database.absolute().as_uri()}?mode=ro"


class _Stamp(NamedTuple):
    """Tells apart what beets' database held at different times; what was written `at` just now may yet change."""

    text: str
    at: float

    @classmethod
    def of(cls, database: Path, folder: bytes, encoder_id: int) -> Self:
        files = []
        for path in (str(database), f"{database}-wal", f"{database}-journal"):
            with suppress(OSError):
                files.append(os.stat(path))
        states = [(info.st_ino, info.st_size, info.st_mtime_ns) for info in files]
        text = f"{database.absolute().as_uri()} {folder.hex()} {states} {encoder_id}"
        return cls(text, max((info.st_mtime for info in files), default=0.0))

    @property
    def is_settled(self) -> bool:
        return not 0 <= time.time() - self.at < _SETTLED_S


def _named(columns: Sequence[Any]) -> Named:
    number, artist, title, album, genres, year = columns
    several = tuple(filter(None, (genres or "").split(_SEPARATOR)))
    return Named(number, Tags(artist or "", title or "", album or "", several, year or None))
