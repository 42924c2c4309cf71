"""Whether all folders that are to be watched are: of those that got no watch the system says nothing."""

import os

from musrecd.daemon.looking import Looked
from musrecd.daemon.watcher import Root, Watcher, more_watches, watches_in_use


class Coverage:
    """Compares the folders that looks found with the watches there are, and decides what cannot be watched.

    Folders come and go between a look and the count: what seems to be too few is believed after a second look, of
    those in which a folder without a watch is found then.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._n_folders: dict[bytes, int] = {}
        self._unsure: set[bytes] = set()

    def note(self, looked: Looked) -> list[Root]:
        """Take note of a look; returns the watched folders that are to be looked through after that."""
        # Other folders are looked through, too, when somebody asks.
        just_looked = [root for root in self._watcher.roots if root.path in looked.folders]
        self._n_folders |= {root.path: looked.n_folders for root in just_looked}
        again = [root for root in just_looked if self._watcher.watch_again(root, looked.n_folders)]
        return again + self._doubted(looked)

    def _doubted(self, looked: Looked) -> list[Root]:
        watched = self._watched()
        n_folders = sum(self._n_folders[root.path] for root in _outermost(watched))
        n_watches = watches_in_use()
        if n_watches is None or n_watches >= n_folders:
            self._unsure.clear()
            return []
        if not self._unsure:
            self._unsure = {root.path for root in watched}
            return watched
        self._unsure &= {root.path for root in watched} - set(looked.folders)
        if not self._unsure:
            for root in filter(self._watcher.lacks_watches, watched):
                self._watcher.poll(root, f"{n_folders} folders, {n_watches} watches{more_watches()}")
        return []

    def _watched(self) -> list[Root]:
        return [root for root in self._watcher.roots if root.method == "events" and root.path in self._n_folders]


def _outermost(roots: list[Root]) -> list[Root]:
    """Leave out what lies below another one: a folder has one watch, however often it is to be watched."""
    paths = {root.path: os.path.join(os.path.realpath(root.path), b"") for root in roots}
    return [
        root
        for root in roots
        if not any(
            paths[root.path].startswith(path) and (paths[root.path] != path or other < root.path)
            for other, path in paths.items()
            if other != root.path
        )
    ]
