"""The names that beets has, and the numbers of its items, put before `recommend`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musrecd.asking.ask import entry_of, seeds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from musrecd.library.items import BeetsItems
    from musrecd.library.reader import LibraryReader
    from musrecd.recommend.asking import Entry, Seed
    from musrecd.types import EncoderInfo


class BeetsCatalogue:
    """Keeps the number of every item that it was asked for, by row, in `numbers`."""

    def __init__(self, items: BeetsItems) -> None:
        self._items = items
        self.numbers: dict[int, int] = {}

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        """Describe rows that beets manages a file of."""
        found = self._items.in_rows(rows)
        self.numbers.update((row, named.number) for row, named in found.items())
        return {row: entry_of(named.tags) for row, named in found.items()}


def seeds_of_items(
    reader: LibraryReader, info: EncoderInfo, items: BeetsItems, numbers: Sequence[int], weight: float
) -> tuple[list[Seed], list[int]]:
    """Make seeds of items that are analysed, one for each recording; returns them, and the items' numbers.

    Raises LibraryError if an analysis is damaged.
    """
    named = items.at(numbers)
    tracks = reader.tracks_at(list(named), info.version)
    order = {number: place for place, number in enumerate(numbers)}
    paths = sorted(tracks, key=lambda path: order[named[path].number])
    heard = {tracks[path].recording_id: named[path].number for path in reversed(paths)}
    entries = {path: entry_of(named[path].tags) for path in paths}
    seeds = seeds_of(reader, info, [tracks[path] for path in paths], weight=weight, entries=entries)
    return seeds, sorted(heard.values(), key=order.__getitem__)
