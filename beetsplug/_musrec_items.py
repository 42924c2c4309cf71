"""beets' items on one side, the tracks of the musrec library on the other.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Its home moved with 2.12; here it is found in every version.
from beets.ui import UserError  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beets.dbcore import Query
    from beets.library import Item, Library

    from musrecd.library.items import BeetsItems
    from musrecd.library.reader import LibraryReader
    from musrecd.types import EncoderInfo

_SHOWN = 3
_PART = 5000


def matching(lib: Library, arguments: list[str]) -> list[Item]:
    """Return the items that match. Raises UserError if there are none."""
    items = list(lib.items(arguments))
    if not items:
        raise _no_match(arguments)
    return items


def in_parts(lib: Library, arguments: list[str]) -> Iterator[list[Item]]:
    """Yield the items that match, some thousands at a time, by number: a million at once take gigabytes.

    Raises UserError if there are none.
    """
    from beets.dbcore.query import AndQuery, NumericQuery

    query = parsed(arguments)
    with lib.transaction() as transaction:
        highest = transaction.query("SELECT coalesce(max(id), 0) FROM items")[0][0]
    # Put to beets, a query that SQL does not know would go through all items for each part.
    is_sql, is_empty = query.clause()[0] is not None, True
    for first in range(1, highest + 1, _PART):
        numbers = NumericQuery("id", f"{first}..{first + _PART - 1}")
        items = lib.items(AndQuery([query, numbers]) if is_sql else numbers)
        if part := [item for item in items if is_sql or query.match(item)]:
            is_empty = False
            yield part
    if is_empty:
        raise _no_match(arguments)


def parsed(arguments: Sequence[str]) -> Query:
    """Return a query of items. Raises beets' InvalidQueryError, which beets tells the person."""
    from beets.dbcore.query import InvalidQueryArgumentValueError, InvalidQueryError
    from beets.library import Item, parse_query_parts

    try:
        query, _ = parse_query_parts(list(arguments), Item)
    except InvalidQueryArgumentValueError as error:
        raise InvalidQueryError(list(arguments), error) from error
    return query


def _no_match(arguments: list[str]) -> UserError:
    return UserError(f"no track matches {quoted(arguments)}" if arguments else "the beets library is empty")


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


def beets_items(lib: Library, reader: LibraryReader, info: EncoderInfo) -> BeetsItems:
    """Get at the items in beets' database by the rows of the library."""
    return reader.items(Path(os.fsdecode(lib.path)), lib.directory, info.version)


def named(items: Sequence[Item]) -> str:
    """Say which items, the first few by name."""
    from musrecd.display import printable

    names = ", ".join(
        printable(" - ".join(filter(None, (item.artist, item.title))) if item.title else item.filepath.name)
        for item in items[:_SHOWN]
    )
    more = len(items) - _SHOWN
    return f"{names} and {more} more" if more > 0 else names


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
