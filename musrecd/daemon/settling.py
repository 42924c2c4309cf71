"""Files that somebody may still be writing: they are taken when they have stopped changing."""

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from musrecd.types import FileState

Look = Callable[[bytes], FileState | None]


def look(path: bytes) -> FileState | None:
    """Return the state of a regular file, None if there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return FileState(path, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


@dataclass(slots=True)
class _Watched:
    state: FileState | None
    calm_since: float


@dataclass(slots=True)
class Settling:
    """Files that changed a moment ago. `calm_s`: for how long size and time have to stand still.

    Times are of a clock that only runs forwards, because that of the wall jumps; what the file system says of a
    file's time is only compared with itself.
    """

    calm_s: float
    look: Look = look
    _watched: dict[bytes, _Watched] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count what is being waited for."""
        return len(self._watched)

    def __contains__(self, path: bytes) -> bool:
        """Whether a file is being waited for."""
        return path in self._watched

    def note(self, paths: Iterable[bytes], now: float) -> None:
        """Take note that files may have changed; their wait begins anew."""
        for path in paths:
            self._watched.pop(path, None)  # to the end
            self._watched[path] = _Watched(self.look(path), now)

    def forget(self, path: bytes) -> None:
        """Wait for a file no more."""
        self._watched.pop(path, None)

    def next_at(self) -> float | None:
        """When the next file may have settled, None if none is waited for."""
        # Files are noted in the order of time, and one that changed again goes to the end.
        first = next(iter(self._watched.values()), None)
        return first.calm_since + self.calm_s if first else None

    def settled(self, now: float, at_most: int = 500) -> list[FileState]:
        """Return files that have stood still for long enough, and wait for them no more; vanished ones are dropped."""
        found: list[FileState] = []
        while self._watched and len(found) < at_most:
            path, watched = next(iter(self._watched.items()))
            if watched.calm_since + self.calm_s > now:
                break
            del self._watched[path]
            state = self.look(path)
            if state is not None and state == watched.state:
                found.append(state)
            elif state is not None:
                self._watched[path] = _Watched(state, now)
        return found
