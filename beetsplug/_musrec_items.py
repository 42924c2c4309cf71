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
    from collections.abc import Sequence

    from beets.library import Item, Library

    from musrecd.library.reader import LibraryReader
    from musrecd.types import EncoderInfo

_SHOWN = 3
_NEWEST = 500

# beets keeps paths within its directory relative to it.
BEETS_PATHS = """
    SELECT CASE WHEN substr(path, 1, 1) = CAST('/' AS BLOB) THEN path ELSE CAST(? || path AS BLOB) END AS path
    FROM other.items
"""


def count_unanalysed(lib: Library, reader: LibraryReader, info: EncoderInfo) -> int:
    """Count the items of beets that the library has no analysis of.

    To look up a hundred thousand takes longer than the answer below which the number stands. So only the newest are,
    unless one of these is not analysed, or beets has more items than the library has files.
    """
    database, folder = Path(os.fsdecode(lib.path)), os.path.join(lib.directory, b"")
    newest = f"{BEETS_PATHS} ORDER BY id DESC LIMIT {_NEWEST}"
    with lib.transaction() as transaction:
        n_items = int(transaction.query("SELECT count(*) FROM items")[0][0])
    if n_items <= reader.count_present(info.version) and not reader.count_unanalysed(
        database, newest, [folder], info.version
    ):
        return 0
    return reader.count_unanalysed(database, BEETS_PATHS, [folder], info.version)


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
