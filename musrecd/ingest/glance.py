"""Whether a folder is as it was when it was looked through and there was nothing to do."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from musrecd.errors import LibraryError
from musrecd.ingest.fingerprint import fingerprint
from musrecd.library.looks import Sight
from musrecd.library.reader import LibraryReader


def glance(
    library: Path, folder: bytes, version: str, on_step: Callable[[], None] = lambda: None, asker: str = ""
) -> tuple[Sight | None, tuple[int, int] | None]:
    """Return what a look through `folder` depends on, if that can be told, and what one found that had nothing to do.

    The latter are numbers of files and folders. All of that is read before a walk: what changes meanwhile lets the
    next look walk once more, never once less. What others than this `asker` noted is not believed.
    """
    folder = os.path.abspath(folder)
    # What is wrong with the library is told by the walk.
    with suppress(LibraryError), LibraryReader.open(library) as reader:
        generation = reader.generation()
        if (mark := fingerprint(folder, on_step)) is not None:
            sight = Sight(generation, mark, version, asker)
            return sight, reader.noted_look(folder, sight)
    return None, None
