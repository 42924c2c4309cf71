"""Watching through watchdog, whose threads may die unnoticed and whose end may fail: what that takes is here."""

import logging
import os
import warnings
from collections.abc import Callable
from threading import Thread

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import EventEmitter, ObservedWatch

# One component of the log: that this is a module of its own matters to nobody who reads it.
_log = logging.getLogger("musrecd.daemon.watcher")

_EVENTS = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
_OVERFLOWED = "overflowed"
_END_S = 3.0


class Observing:
    """An observer of watchdog. `overflowed` is called, from a thread, when the system dropped events.

    Where watchdog's own books are looked into, they may look different or be missing: that counts as no news.
    """

    def __init__(self, overflowed: Callable[[], None]) -> None:
        # Folders made within one another are often watched twice, which is harmless, and said with the names of all
        # watched folders each time, every one of which would be remembered.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
        self._observer = Observer()
        self._observer.start()
        self._overflows = _OverflowListener(overflowed)
        logging.getLogger("watchdog").addHandler(self._overflows)

    @property
    def is_alive(self) -> bool:
        """Whether events still come; the thread that reads them can end while all others go on."""
        reading = getattr(self._observer, "_inotify_fd", None)
        return self._observer.is_alive() and (reading is None or reading.is_alive())

    def watch(self, folder: bytes, handler: FileSystemEventHandler) -> ObservedWatch:
        """Watch a folder and all below it. Raises OSError or RuntimeError if the system does not."""
        # With a slash at its end a link is followed, which inotify is told not to do.
        path = os.fsdecode(os.path.join(folder, b""))
        return self._observer.schedule(handler, path, recursive=True, event_filter=_EVENTS)

    def sees(self, watch: ObservedWatch, folder: bytes | None = None) -> bool:
        """Whether the system tells of what happens in `folder` (default: the watched one itself).

        It does not where the watches ran out, and not any more after a folder was unmounted.
        """
        emitter = self._emitter(watch)
        if emitter is None or not emitter.is_alive():
            return False
        watched = getattr(getattr(emitter, "_inotify", None), "_active_callbacks_by_path", None)
        return watched is None or (folder or os.fsencode(watch.path)) in watched

    def unwatch(self, watch: ObservedWatch) -> None:
        """Tell no more of a folder."""
        if (emitter := self._emitter(watch)) is not None:
            _end(emitter)
            self._observer.unschedule(watch)

    def stop(self) -> None:
        """End all threads; one that does not end in time is left behind, as it keeps nobody from ending."""
        logging.getLogger("watchdog").removeHandler(self._overflows)
        ending = Thread(target=self._end, daemon=True)
        ending.start()
        ending.join(_END_S)

    def _end(self) -> None:
        for emitter in self._observer.emitters.copy():
            _end(emitter)
        try:
            self._observer.stop()
        except Exception as error:
            _log.warning("watching did not end cleanly", extra={"reason": repr(error)})

    def _emitter(self, watch: ObservedWatch) -> EventEmitter | None:
        return next((emitter for emitter in self._observer.emitters if emitter.watch == watch), None)


def _end(emitter: EventEmitter) -> None:
    """End the thread of one watched folder; its observer, who would wait for it for ever, finds it ended."""
    group = getattr(emitter, "_inotify", None)
    try:
        emitter.stop()
    except Exception as error:
        # After some moves of folders watchdog's books are wrong (KeyError), and it stops before it wakes the thread.
        _log.debug("watching a folder did not end cleanly", extra={"reason": repr(error)})
        if (events := getattr(group, "_move_event_grouper", None)) is not None:
            events.close()


class _OverflowListener(logging.Handler):
    """watchdog says in its log, and nowhere else, that the system's queue of events was too short."""

    def __init__(self, overflowed: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._overflowed = overflowed

    def emit(self, record: logging.LogRecord) -> None:
        if _OVERFLOWED in record.getMessage():
            self._overflowed()
