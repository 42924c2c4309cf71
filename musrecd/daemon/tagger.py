"""One process at a time that writes genres into files, while there are files that wait for theirs."""

import logging
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Future

from pebble import ProcessPool

from musrecd.config import Config
from musrecd.daemon.lookout import end
from musrecd.errors import MusrecError
from musrecd.ingest.pool import starting
from musrecd.ingest.work import begin_process
from musrecd.tagging.outcome import Outcome

_log = logging.getLogger("musrecd.daemon.tagging")

_NICENESS = 10
# A process that takes longer for its files waits for a disk that does not answer.
_LONGEST_S = 1800.0
_FIRST_WAIT_S = 10.0
_LONGEST_WAIT_S = 600.0


class Tagger:
    """Begins processes that write; `tell` is called from a thread with each that is done."""

    def __init__(
        self,
        config: Config,
        roots: tuple[bytes, ...],
        tell: Callable[["Future[list[Outcome]]"], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._roots, self._tell, self._clock = config, roots, tell, clock
        self._pool: ProcessPool | None = None
        self._not_before, self._wait_s = clock(), _FIRST_WAIT_S

    @property
    def is_on(self) -> bool:
        """Whether the configuration lets the daemon write at all."""
        return self._config.tagging.write != "no"

    @property
    def is_ready(self) -> bool:
        """Whether a process may begin: none is at work, and the last one did not fail a moment ago."""
        return self.is_on and self._pool is None and self._clock() >= self._not_before

    def begin(self) -> None:
        """Begin a process for the files that are due."""
        try:
            with starting():
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPool(1, initializer=begin_process, initargs=(_NICENESS,), context=context)
                future: Future[list[Outcome]] = self._pool.schedule(
                    _tag_due, args=(self._config, self._roots), timeout=_LONGEST_S
                )
        except MusrecError as error:
            self._failed(str(error))
        else:
            future.add_done_callback(self._tell)

    def done(self, future: "Future[list[Outcome]]") -> None:
        """Let the process end and log what it did; if it failed, another one begins after a while."""
        if self._pool is None:
            return
        try:
            outcomes = future.result()
        except Exception as error:  # a process that was killed, a library that is locked: none of it may end the daemon
            self._failed(str(error) or type(error).__name__)
            return
        self.stop()
        self._wait_s = _FIRST_WAIT_S
        for outcome in outcomes:
            _say(outcome)

    def stop(self) -> None:
        """End at once: what is being written is written by the next one."""
        if self._pool is not None:
            end(self._pool)
        self._pool = None

    def _failed(self, reason: str) -> None:
        self.stop()
        _log.error("no genres can be written now", extra={"reason": reason, "again_in_s": self._wait_s})
        self._not_before = self._clock() + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)


def _tag_due(config: Config, roots: tuple[bytes, ...]) -> list[Outcome]:
    # What it needs is only wanted in that process; the daemon at rest stays small.
    from musrecd.daemon.tagging import tag_due

    return tag_due(config, roots)


def _say(outcome: Outcome) -> None:
    if outcome.result == "written":
        _log.info("genres written", extra={"path": outcome.path, "genres": ", ".join(outcome.after)})
    elif outcome.result == "left":
        _log.debug("no genre written", extra={"path": outcome.path, "reason": outcome.message})
    else:
        again = outcome.result == "failed"
        _log.warning("genres not written", extra={"path": outcome.path, "reason": outcome.message, "again": again})
