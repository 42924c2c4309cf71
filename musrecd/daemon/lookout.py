"""One look through folders at a time, in a process that ends afterwards."""

import logging
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Future

from pebble import ProcessPool

from musrecd.daemon.looking import Look, Looked, look_through
from musrecd.errors import LibraryDamagedError, MusrecError
from musrecd.ingest.pool import starting
from musrecd.ingest.work import begin_process

# One component of the log: whoever reads it does not care in which process folders are looked through.
_log = logging.getLogger("musrecd.daemon.service")

_NICENESS = 10
_AGAIN_AFTER_S = 30.0


class Lookout:
    """Runs looks one after the other; `tell` is called from a thread with each that is done."""

    def __init__(
        self, tell: Callable[["Future[Looked]"], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell, self._clock = tell, clock
        self._waiting: dict[Look, float] = {}
        self._under_way: Look | None = None
        self._pool: ProcessPool | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a look is under way."""
        return self._under_way is not None

    def look(self, look: Look) -> None:
        """Look as soon as nothing else is under way; a look that waits already is not made twice."""
        self._waiting[look] = self._clock()

    def begin(self) -> None:
        """Begin the next look that waits, if none is under way."""
        now = self._clock()
        look = next((look for look, due_at in self._waiting.items() if due_at <= now), None)
        if self._under_way is not None or look is None:
            return
        del self._waiting[look]
        self._under_way = look
        try:
            with starting():
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPool(1, initializer=begin_process, initargs=(_NICENESS,), context=context)
                future: Future[Looked] = self._pool.schedule(look_through, args=(look,))
        except MusrecError as error:
            self._failed(error)
        else:
            future.add_done_callback(self._tell)

    def done(self, future: "Future[Looked]") -> Looked | None:
        """Let the process end and return what it found; None if it failed, the look is made again after a while.

        Raises LibraryDamagedError.
        """
        try:
            looked = future.result()
        except LibraryDamagedError:
            raise
        except Exception as error:  # a process that was killed, memory that ran out: none of it may end the daemon
            self._failed(error)
            return None
        self.stop()
        return looked

    def stop(self) -> None:
        """End at once; what was enqueued stays."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
        self._pool = self._under_way = None

    def _failed(self, error: Exception) -> None:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        _log.error("folders could not be looked through", extra={"reason": reason})
        if self._under_way is not None:
            self._waiting[self._under_way] = self._clock() + _AGAIN_AFTER_S
        self.stop()
