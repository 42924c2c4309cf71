"""Asking a disk whether it is there, without waiting for one that never answers."""

import os
from threading import Thread

Identity = tuple[int, int]


class Pulse:
    """Asks for the identity of one folder from a thread; `patience_s`: how long that may take whoever wants it."""

    def __init__(self, path: bytes, patience_s: float = 2.0) -> None:
        self._path, self._patience_s = path, patience_s
        self._thread: Thread | None = None
        self._identity: Identity | None = None

    def ask(self) -> Identity | None:
        """Tell the folder from another one that is mounted there later; None if there is none.

        Raises TimeoutError if the disk has not answered yet; asked again, it does so at once until it has.
        """
        patience_s = 0.0
        if self._thread is None:
            self._thread = Thread(target=self._ask, daemon=True)
            self._thread.start()
            patience_s = self._patience_s
        self._thread.join(patience_s)
        if self._thread.is_alive():
            raise TimeoutError
        self._thread = None
        return self._identity

    def _ask(self) -> None:
        self._identity = identity(self._path)


def identity(path: bytes) -> Identity | None:
    """Tell a folder from another one that is mounted there later; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
