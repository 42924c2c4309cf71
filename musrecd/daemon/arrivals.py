"""Which files have come since their folder was looked through: only these are new, and get genres if that is wanted.

All others were there before, and their owner left them as they are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from musrecd.daemon.mounts import Mount
from musrecd.daemon.pulse import Identity
from musrecd.daemon.watcher import Root
from musrecd.ingest.vanished import is_below, lies_in
from musrecd.types import Priority

# A folder is another one when something else is mounted there, or below it.
_Seen = tuple[Identity | None, frozenset[Mount]]


@dataclass(slots=True)
class Arrivals:
    """Remembers which watched folders were looked through, as what they were then."""

    roots: Sequence[Root]
    _begun: dict[bytes, _Seen] = field(default_factory=dict)
    _seen: dict[bytes, _Seen] = field(default_factory=dict)
    _unread: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def check(self) -> None:
        """Forget what was looked through and is another folder now; what comes back was there before."""
        for root in self.roots:
            if not self._is_looked_through(root):
                self._seen.pop(root.path, None)

    def begin_look(self, folder: bytes) -> None:
        """Take note that a watched folder is going to be looked through."""
        self._begun.update((root.path, _as_seen(root)) for root in self.roots if root.path == folder)

    def note_look(self, folders: Collection[bytes], unread: Collection[bytes]) -> None:
        """Take note that a look through these folders ended: all that was there waits by now, but what was `unread`."""
        for root in self.roots:
            # What was mounted meanwhile was not looked through.
            if root.path in folders and self._begun.pop(root.path, None) == _as_seen(root):
                self._seen[root.path] = _as_seen(root)
                self._unread[root.path] = tuple(path for path in unread if is_below(path, root.path))

    @property
    def unread(self) -> tuple[bytes, ...]:
        """What could not be read when it was looked through last; whatever is in there is not new."""
        return tuple(path for paths in self._unread.values() for path in paths)

    def priority(self, path: bytes) -> Priority:
        """How urgent a file is that nobody heard yet, or all such files in a folder."""
        is_new = any(self._is_looked_through(root) for root in self.roots if is_below(path, root.path))
        return Priority.NEW if is_new and not lies_in(path, self.unread) else Priority.BACKFILL

    def _is_looked_through(self, root: Root) -> bool:
        return self._seen.get(root.path) == _as_seen(root)


def _as_seen(root: Root) -> _Seen:
    return root.identity, frozenset(mount for mount, _ in root.mounts)
