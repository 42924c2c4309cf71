"""Upkeep of the library beside the loop, which hears, answers and stores meanwhile."""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread

from musrecd.daemon.messages import Damaged, Upkeep
from musrecd.errors import LibraryDamagedError, LibraryError
from musrecd.library.store import Library

_log = logging.getLogger("musrecd.daemon.upkeep")


class Chores:
    """Does upkeep one after the other, in threads with connections of their own; the end of the daemon ends them.

    Damage that they meet goes to `tell`.
    """

    def __init__(self, library: Path, tell: Callable[[Damaged], None]) -> None:
        self._library, self._tell = library, tell
        self._one_at_a_time = Lock()
        self._waiting: set[str] = set()

    def do(self, upkeep: Upkeep) -> None:
        """Begin it, or let it wait for what is under way; once, however often it is wanted meanwhile."""
        if upkeep.name not in self._waiting:
            self._waiting.add(upkeep.name)
            Thread(target=self._do, args=(upkeep,), daemon=True).start()

    def _do(self, upkeep: Upkeep) -> None:
        with self._one_at_a_time:
            self._waiting.discard(upkeep.name)
            try:
                if not self._library.exists():
                    # Made anew it would pass for sound; put right, it is restored.
                    raise LibraryDamagedError("the library was taken away while it was in use")
                with Library.open(self._library) as library:
                    upkeep.do(library)
                    library.note_done(upkeep.name)
            except LibraryDamagedError as error:
                self._tell(Damaged(error))
            except (LibraryError, OSError) as error:
                _log.error("upkeep failed", extra={"what": upkeep.name, "reason": str(error)})
