"""One look through folders at a time, in a process that ends afterwards, or is given up if it gets nowhere."""

import logging
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Future
from ctypes import c_ulonglong
from dataclasses import dataclass
from threading import Thread

from pebble import ProcessPool

from musrecd.daemon.looking import Look, Looked, look_through
from musrecd.errors import LibraryDamagedError, MusrecError
from musrecd.ingest.pool import starting
from musrecd.ingest.work import begin_process

# One component of the log: whoever reads it does not care in which process folders are looked through.
_log = logging.getLogger("musrecd.daemon.service")

_NICENESS = 10
_AGAIN_AFTER_S = 30.0
# A look of a slow disk may take hours; but no single answer of a disk takes minutes, unless there will never be one.
# The library may be waited for that long, see `database.PATIENT_TIMEOUT_S`.
_STUCK_AFTER_S = 300.0
_END_S = 3.0


@dataclass(slots=True)
class _UnderWay:
    """A look, its process and how far that came: it counts its `steps`, `n_steps` were seen since `since`."""

    look: Look
    pool: ProcessPool
    future: "Future[Looked]"
    steps: c_ulonglong
    since: float
    n_steps: int = 0

    def is_stuck(self, now: float) -> bool:
        if self.steps.value != self.n_steps:
            self.n_steps, self.since = self.steps.value, now
        return now - self.since > _STUCK_AFTER_S


class Lookout:
    """Runs looks one after the other; `tell` is called from a thread with each that is done.

    A look that waits for a disk that does not answer is given up, so that the others have their turn. Not even a
    kill ends a process as long as it waits for such a disk: until it ended, no other one is sent there.
    """

    def __init__(
        self, tell: Callable[["Future[Looked]"], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell, self._clock = tell, clock
        self._waiting: dict[Look, float] = {}
        self._under_way: _UnderWay | None = None
        self._ending: dict[tuple[bytes, ...], Thread] = {}
        self._failing: set[tuple[bytes, ...]] = set()

    @property
    def is_busy(self) -> bool:
        """Whether a look is under way."""
        return self._under_way is not None

    @property
    def folders(self) -> list[bytes]:
        """Folders that are being looked through or wait for that."""
        looks = [*([self._under_way.look] if self._under_way else []), *self._waiting]
        return list(dict.fromkeys(folder for look in looks for folder in look.folders))

    def look(self, look: Look) -> None:
        """Look as soon as nothing else is under way; a look that waits already is not made twice."""
        self._waiting[look] = self._clock()

    def begin(self) -> None:
        """Begin the next look that waits, if none is under way or the one that is gets nowhere."""
        now = self._clock()
        if self._under_way is not None and self._under_way.is_stuck(now):
            self._failed(self._under_way.look, f"no answer for {_STUCK_AFTER_S:.0f} s, given up")
        self._ending = {folders: thread for folders, thread in self._ending.items() if thread.is_alive()}
        if self._under_way is None and (look := self._next(now)) is not None:
            del self._waiting[look]
            self._start(look)

    def done(self, future: "Future[Looked]") -> Looked | None:
        """Let the process end and return what it found; None if it failed, the look is made again after a while.

        Raises LibraryDamagedError.
        """
        if self._under_way is None or future is not self._under_way.future:
            # It was given up before.
            return None
        try:
            looked = future.result()
        except LibraryDamagedError:
            raise
        except Exception as error:  # a process that was killed, memory that ran out: none of it may end the daemon
            self._failed(self._under_way.look, f"{type(error).__name__}: {error}")
            return None
        self._failing.discard(looked.folders)
        self.stop()
        return looked

    def stop(self) -> None:
        """End at once; what was enqueued stays. A process that does not end is left behind."""
        if self._under_way is not None:
            self._ending[self._under_way.look.folders] = end(self._under_way.pool)
        self._under_way = None

    def _next(self, now: float) -> Look | None:
        due = (look for look, due_at in self._waiting.items() if due_at <= now)
        return next((look for look in due if look.folders not in self._ending), None)

    def _start(self, look: Look) -> None:
        try:
            with starting():
                context = multiprocessing.get_context("spawn")
                steps = context.RawValue(c_ulonglong)
                pool = ProcessPool(1, initializer=_begin_process, initargs=(_NICENESS, steps), context=context)
                future: Future[Looked] = pool.schedule(_look_through, args=(look, look.folders in self._failing))
        except MusrecError as error:
            self._failed(look, str(error))
        else:
            self._under_way = _UnderWay(look, pool, future, steps, self._clock())
            future.add_done_callback(self._tell)

    def _failed(self, look: Look, reason: str) -> None:
        extra = {"reason": " ".join(reason.split()), "path": b", ".join(look.folders)}
        _log.error("folders could not be looked through", extra=extra)
        self._waiting[look] = self._clock() + _AGAIN_AFTER_S
        self._failing.add(look.folders)
        self.stop()


def end(pool: ProcessPool) -> Thread:
    """End a process at once; one that waits for a dead disk is left behind, with the thread that waits for it."""
    ending = Thread(target=_end, args=(pool,), daemon=True)
    ending.start()
    ending.join(_END_S)
    return ending


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


_steps: c_ulonglong | None = None


def _begin_process(niceness: int, steps: c_ulonglong) -> None:
    global _steps
    begin_process(niceness)
    _steps = steps


def _look_through(look: Look, has_failed: bool) -> Looked:
    # A `find` that waits for a dead disk outlives us: one is enough, then we wait ourselves.
    return look_through(look, _step, in_full=has_failed)


def _step() -> None:
    if _steps is not None:
        _steps.value += 1
