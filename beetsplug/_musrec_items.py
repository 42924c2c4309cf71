"""beets' items on one side, the tracks of the musrec library on the other.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beets.dbcore.pathutils import normalize_path_for_db
from beets.dbcore.query import InQuery

# Its home moved with 2.12; here it is found in every version.
from beets.ui import UserError  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def matching(lib: Library, arguments: list[str]) -> list[Item]:
    """Return the items that match. Raises UserError if there are none."""
    items = list(lib.items(arguments))
    if not items:
        raise UserError(f"no track matches {quoted(arguments)}" if arguments else "the beets library is empty")
    return items


def quoted(arguments: Sequence[str]) -> str:
    """Write arguments as a shell would read them."""
    import shlex

    return shlex.join(arguments)


def answering(reader: LibraryReader) -> EncoderInfo:
    """Return the encoder that answers. Raises UserError if there is none yet."""
    info = reader.encoder()
    if info is None:
        raise UserError("nothing is analysed yet; run `beet analyse` first")
    return info


def unanalysed_line(n: int) -> str:
    """Say what helps."""
    from musrecd.display import counted

    return f"{counted(n, 'track')} not analysed yet: run `beet analyse`"


def safe(line: str) -> str:
    """Escape what could steer a terminal; what a program reads stays as it is."""
    from musrecd.display import printable

    return printable(line) if sys.stdout.isatty() else line


def to_dict(item: Item) -> dict[str, Any]:
    """Return what a program wants to know of an item."""
    return {
        "id": item.id,
        "path": item.filepath.as_posix(),
        "artist": item.artist,
        "title": item.title,
        "album": item.album,
        "length": round(item.length, 2),
    }
