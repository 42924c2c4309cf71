"""beets' items on one side, the tracks of the musrec library on the other.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from beets.dbcore.pathutils import normalize_path_for_db
from beets.dbcore.query import InQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beets.library import Item, Library

    from musrecd.config import Config
    from musrecd.library.reader import LibraryReader
    from musrecd.types import EncoderInfo, Match, Track

_LOOK = 20


def results_for(
    lib: Library, reader: LibraryReader, info: EncoderInfo, seeds: list[Track], config: Config
) -> Iterator[tuple[Item, float]]:
    """Yield the items nearest to the seeds; recordings that beets does not manage are passed over."""
    from musrecd.recommend.similarity import mean_direction, nearest

    ids = list(dict.fromkeys(track.recording_id for track in seeds))
    query = mean_direction(reader.embeddings(ids, info.version))
    own_rows = reader.rows_of(ids, info.version).values()
    ranked = nearest(reader.vectors(info.version), query, without=own_rows, min_score=config.min_score)
    while matches := list(islice(ranked, max(_LOOK, config.number))):
        yield from _items_of(lib, reader, info, matches)


def _items_of(
    lib: Library, reader: LibraryReader, info: EncoderInfo, matches: list[Match]
) -> Iterator[tuple[Item, float]]:
    """Yield one item for each match that beets has a file of."""
    tracks = reader.tracks_in_rows([match.row for match in matches], info.version)
    paths = [normalize_path_for_db(track.path) for files in tracks.values() for track in files]
    items = {item.path: item for item in lib.items(InQuery("path", paths))}
    for match in matches:
        item = next((items[track.path] for track in tracks[match.row] if track.path in items), None)
        if item is not None:
            yield item, match.score


# beets keeps paths within its directory relative to it.
_BEETS_PATHS = """
    SELECT CASE WHEN substr(path, 1, 1) = CAST('/' AS BLOB) THEN path ELSE CAST(? || path AS BLOB) END AS path
    FROM other.items
"""


def count_unanalysed(lib: Library, reader: LibraryReader, info: EncoderInfo) -> int:
    """Count the items of beets that the library has no analysis of."""
    database = Path(os.fsdecode(lib.path))
    return reader.count_unanalysed(database, _BEETS_PATHS, [os.path.join(lib.directory, b"")], info.version)
