"""What the watcher told of, until the library has it: files that were renamed, are gone, or have settled.

Nothing is forgotten before it is stored, because the library may be locked or its disk full for a while.
"""

import logging
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from musrecd.daemon.hints import Gone, Moved, Touched
from musrecd.daemon.settling import Settling
from musrecd.ingest.vanished import is_below
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import FileState, Priority

_log = logging.getLogger("musrecd.daemon.service")

# As much as is stored in one go: a person's question must not wait for ten thousand files.
_AT_ONCE = 500
_BUSY_TIMEOUT_S = 1.0


@dataclass(slots=True)
class Intake:
    """Hints on their way into the library. Of a path that `may_be_unmounted` nothing is concluded.

    `priority` says how urgent a file is that nobody heard yet.

    What went while it was `under_way` to be heard is only known to the library afterwards, and waits for that.
    """

    library: Library
    version: str
    settling: Settling
    may_be_unmounted: Callable[[bytes], bool]
    under_way: Callable[[], Collection[bytes]]
    priority: Callable[[bytes], Priority]
    _moves: list[tuple[bytes, bytes]] = field(default_factory=list)
    _gone: dict[bytes, None] = field(default_factory=dict)
    _gone_under_way: dict[bytes, None] = field(default_factory=dict)
    _settled: list[FileState] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        """Whether something could be brought in at once."""
        return bool(self._moves or self._gone or self._settled)

    def note(self, hint: Touched | Moved | Gone, now: float) -> None:
        """Take note of what the watcher told."""
        match hint:
            case Touched(path):
                self.settling.note([path], now)
            case Moved(source, destination):
                self._moves.append((source, destination))
                if self._is_under_way(source):
                    self._gone_under_way[source] = None
            case Gone(path):
                (self._gone_under_way if self._is_under_way(path) else self._gone)[path] = None

    def bring_in(self, now: float) -> None:
        """Tell the library, a part of it at a time. Raises LibraryError; what was not stored then stays."""
        self._apply_moves(now)
        for path in [path for path in self._gone_under_way if not self._is_under_way(path)]:
            del self._gone_under_way[path]
            self._gone[path] = None
        self._mark_gone()
        self._enqueue_settled(now)

    def _is_under_way(self, path: bytes) -> bool:
        return any(is_below(each, path) for each in self.under_way())

    def _apply_moves(self, now: float) -> None:
        moves = self._moves[:_AT_ONCE]
        if moves:
            self.library.move_all(moves)
            # Another file may have taken the name since.
            self.settling.note((destination for _, destination in moves), now)
            del self._moves[: len(moves)]

    def _mark_gone(self) -> None:
        # A file that was renamed and then deleted: its row has to have the new name first.
        gone = [] if self._moves else list(islice(self._gone, _AT_ONCE))
        if missing := list(self._missing([path for path in gone if not self.may_be_unmounted(path)])):
            n_marked = self.library.mark_missing(missing)
            _log.info("gone", extra={"files": n_marked})
        for path in gone:
            del self._gone[path]

    def _missing(self, gone: list[bytes]) -> Iterator[bytes]:
        if gone:
            with LibraryReader.open(self.library.path, busy_timeout_s=_BUSY_TIMEOUT_S) as reader:
                known = set().union(*map(reader.paths_below, gone))
            yield from (path for path in known if not os.path.lexists(path))

    def _enqueue_settled(self, now: float) -> None:
        self._settled = self._settled or self.settling.settled(now)
        if self._settled:
            pending = list(self.library.pending(self._settled, self.version))
            self.library.enqueue_pending(pending, self.priority)
            self._settled = []
