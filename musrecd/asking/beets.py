"""The names that beets has, and the numbers of its items, put before `recommend`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musrecd.recommend.asking import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from musrecd.library.items import BeetsItems


class BeetsCatalogue:
    """Keeps the number of every item that it was asked for, by row, in `ids`."""

    def __init__(self, items: BeetsItems) -> None:
        self._items = items
        self.ids: dict[int, int] = {}

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        """Describe rows that beets manages a file of."""
        found = self._items.in_rows(rows)
        self.ids |= {row: named.number for row, named in found.items()}
        return {
            row: Entry(named.tags.artist, named.tags.title, named.tags.album, named.tags.genres, named.tags.year)
            for row, named in found.items()
        }
