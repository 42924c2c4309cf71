"""How `beet similar` finds what it is asked about, and knows what beets calls the rows of the library.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from beets.library import Item, parse_query_parts
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_items import BEETS_PATHS, named, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    from beets.dbcore.query import Query
    from beets.library import Library

    from musrecd.config import Config
    from musrecd.library.reader import LibraryReader
    from musrecd.recommend.asking import Entry, Seed
    from musrecd.types import EncoderInfo

_PATHS_AT_ONCE = 900
_GENRES = Item._fields["genres"]


_ENTRIES = "SELECT id, path, artist, title, album, genres, year FROM items WHERE path IN (?*)"


@dataclass(slots=True)
class ItemCatalogue:
    """The names that beets has. An item takes long to make, so only those that are shown are (`item`)."""

    lib: Library
    reader: LibraryReader
    version: str
    ids: dict[int, int] = field(default_factory=dict)

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        """Describe rows that beets manages a file of."""
        tracks = self.reader.tracks_in_rows(list(rows), self.version)
        folder = os.path.join(self.lib.directory, b"")
        # What `normalize_path_for_db` does, which takes long for hundreds; the library's paths are normal.
        paths = {track.path: track.path.removeprefix(folder) for files in tracks.values() for track in files}
        known = self._at(sorted(set(paths.values())))
        found: dict[int, Entry] = {}
        for row, files in tracks.items():
            there = next((known[paths[track.path]] for track in files if paths[track.path] in known), None)
            if there is not None:
                self.ids[row], found[row] = there
        return found

    def item(self, row: int) -> Item:
        """Return the item of a row that was described."""
        item = self.lib.get_item(self.ids[row])
        if item is None:
            raise UserError("the beets library changed meanwhile; ask again")
        return item

    def _at(self, paths: Sequence[bytes]) -> dict[bytes, tuple[int, Entry]]:
        from musrecd.recommend.asking import Entry

        found: dict[bytes, tuple[int, Entry]] = {}
        for i in range(0, len(paths), _PATHS_AT_ONCE):
            chunk = paths[i : i + _PATHS_AT_ONCE]
            with self.lib.transaction() as transaction:
                rows = transaction.query(_ENTRIES.replace("?*", ", ".join("?" * len(chunk))), chunk)
            for number, path, artist, title, album, genres, year in rows:
                named = Entry(artist, title, album, tuple(_GENRES.from_sql(genres)), year or None)
                found[bytes(path)] = (number, named)
        return found


def entry_of(item: Item) -> Entry:
    """Describe an item."""
    from musrecd.recommend.asking import Entry

    return Entry(item.artist, item.title, item.album, tuple(item.genres or ()), item.year or None)


@dataclass(frozen=True, slots=True)
class About:
    """Seeds, what they are called, and the items among them."""

    seeds: list[Seed]
    names: list[str]
    items: list[Item]


@dataclass(slots=True)
class Asking:
    """One question, with all that is needed to answer it. `hear_now` analyses what was asked about too early."""

    lib: Library
    config: Config
    reader: LibraryReader
    info: EncoderInfo
    hear_now: Callable[[list[Item]], bool]

    def about(self, arguments: Sequence[str] | str, weight: float = 1.0) -> About:
        """Find tracks by a query. Raises UserError if there are none, or none that is analysed."""
        from musrecd.asking.ask import seeds_of

        items = list(self.lib.items(arguments))
        words = [arguments] if isinstance(arguments, str) else list(arguments)
        if not items:
            raise UserError(f"no track matches {quoted(words)}")
        tracks = self.reader.tracks_at([item.path for item in items], self.info.version)
        if not tracks and self.hear_now(items):
            tracks = self.reader.tracks_at([item.path for item in items], self.info.version)
        if not tracks:
            raise UserError(_why_unheard(items, words))
        entries = {item.path: entry_of(item) for item in items}
        heard: dict[int, Item] = {}
        for item in items:
            if item.path in tracks:
                heard.setdefault(tracks[item.path].recording_id, item)
        seeds = seeds_of(self.reader, self.info, list(tracks.values()), weight=weight, entries=entries)
        return About(seeds, [named([item]) for item in heard.values()], list(heard.values()))

    def file(self, name: str) -> About:
        """Hear a file, or take it from the library. Raises MusrecError."""
        from musrecd.asking.ask import seeds_of
        from musrecd.commands.outside import seeds_of_file

        inside = self.reader.tracks_at([os.path.abspath(os.fsencode(name))], self.info.version)
        if inside:
            return About(seeds_of(self.reader, self.info, list(inside.values())), [name], [])
        return About(seeds_of_file(self.config, self.info, name), [name], [])

    def pool(self, arguments: Sequence[str]) -> np.ndarray:
        """Rows of the tracks that match a query of beets. Raises UserError if there are none."""
        query, _ = parse_query_parts(list(arguments), Item)
        if not (rows := self.rows_matching(query)).size:
            raise UserError(f"--in: no analysed track matches {quoted(list(arguments))}")
        return rows

    def rows_matching(self, query: Query) -> np.ndarray:
        """Rows of the items that match."""
        import numpy as np

        from musrecd.errors import LibraryError

        clause, values = query.clause()
        if clause:
            sql = f"{BEETS_PATHS} WHERE {clause}"
            database = Path(os.fsdecode(self.lib.path))
            try:
                return self.reader.rows_in(
                    database, sql, [os.path.join(self.lib.directory, b""), *values], self.info.version
                )
            except (LibraryError, sqlite3.Error):
                pass  # it names an album's field, or a function of beets
        tracks = self.reader.tracks_at([item.path for item in self.lib.items(query)], self.info.version)
        rows = self.reader.rows_of({track.recording_id for track in tracks.values()}, self.info.version)
        return np.fromiter(rows.values(), np.int64, len(rows))


def _why_unheard(items: Sequence[Item], words: Sequence[str]) -> str:
    """Say why none of the items can be asked about, and what helps."""
    if not any(item.filepath.exists() for item in items):
        return f"{named(items)}: the file is missing; run `beet update`"
    return f"{named(items)} not analysed yet; run `beet analyse {quoted(words)}` first"
