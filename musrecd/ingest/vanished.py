"""Which files of the library are not there any more, and when that is not to be believed."""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from musrecd.library.reader import LibraryReader


class EmptiedError(Exception):
    """Nothing of what was known below a folder is left: it is more likely unmounted than emptied.

    `n_known` files are known below it.
    """

    def __init__(self, n_known: int) -> None:
        super().__init__(n_known)
        self.n_known = n_known


def vanished(
    library: Path,
    folder: bytes,
    found: Collection[bytes],
    unread: Sequence[bytes],
    *,
    is_there: Callable[[bytes], bool] = os.path.lexists,
) -> list[bytes]:
    """Return what the library knows below `folder` and a walk, which found `found`, did not see.

    What lies below one of the folders `unread` may well be there; the rest is looked at with `is_there`. Raises
    EmptiedError.
    """
    with LibraryReader.open(library) as reader:
        known = reader.paths_below(folder)
    if known and not any(is_below(path, folder) for path in found):
        raise EmptiedError(len(known))
    # Files that were named by themselves, or that beets manages, may lie where no walk looks.
    unseen = [path for path in known.difference(found) if not is_there(path)]
    return [path for path in unseen if not lies_in(path, unread)]


def is_below(path: bytes, folder: bytes) -> bool:
    """Whether a path is a folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def lies_in(path: bytes, folders: Iterable[bytes]) -> bool:
    """Whether a path is one of these folders or lies in one."""
    return any(is_below(path, folder) for folder in folders)
