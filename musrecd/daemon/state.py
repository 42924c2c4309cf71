"""What the daemon is doing, for whoever asks; written by the loop, read by the threads that answer."""

import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from musrecd.daemon.looking import Looked
from musrecd.daemon.watcher import Root, watch_limit, watches_in_use
from musrecd.display import printable_path

_RATE_OVER_S = 300.0


@dataclass(frozen=True, slots=True)
class LastLook:
    """When a folder was looked through last, and what was there."""

    at: str
    n_files: int
    is_emptied: bool


class State:
    """Numbers and names, for the daemon that hears with `encoder`.

    Every attribute is replaced as a whole, so that no reader sees half of one.
    """

    def __init__(self, roots: Sequence[Root], version: str) -> None:
        self._roots, self.encoder = roots, version
        self._started_at = _now()
        self._done: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._n_settling = 0
        self._looking: tuple[bytes, ...] = ()
        self._under_way: tuple[bytes, ...] = ()
        self.looks: dict[bytes, LastLook] = {}

    def note_turn(
        self, *, n_settling: int, looking: Collection[bytes], under_way: Collection[bytes], n_done: int
    ) -> None:
        """Take note of a turn of the loop."""
        self._n_settling, self._looking, self._under_way = n_settling, tuple(looking), tuple(under_way)
        now = time.monotonic()
        if n_done != self._done[-1][1]:
            self._done.append((now, n_done))
        while len(self._done) > 1 and self._done[1][0] < now - _RATE_OVER_S:
            self._done.popleft()

    def note_look(self, looked: Looked) -> None:
        """Take note of a look through watched folders; others are looked through when somebody asks."""
        watched = {root.path for root in self._roots}
        for folder in watched.intersection(looked.folders):
            look = LastLook(_now(), looked.n_files, folder in looked.emptied)
            self.looks = {**self.looks, folder: look}

    @property
    def per_second(self) -> float:
        """Files that were done in each of the last seconds."""
        (since, first), (_, last) = self._done[0], self._done[-1]
        seconds = time.monotonic() - since
        return (last - first) / seconds if seconds > 1 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "started_at": self._started_at,
            "encoder": self.encoder,
            "folders": [self._folder(root) for root in self._roots],
            "settling": self._n_settling,
            "looking": [printable_path(path) for path in self._looking],
            "under_way": [printable_path(path) for path in self._under_way],
            "per_second": round(self.per_second, 2),
            "watches": watches_in_use(),
            "watch_limit": watch_limit(),
        }

    def _folder(self, root: Root) -> dict[str, Any]:
        look = self.looks.get(root.path)
        return {
            "path": printable_path(root.path),
            "watched": root.method,
            "why": root.why,
            "looked_through_at": look.at if look else None,
            "files": look.n_files if look else None,
            "emptied": look.is_emptied if look else False,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
