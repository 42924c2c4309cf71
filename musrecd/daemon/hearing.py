"""Worker processes while there is work: started with the first file, ended when nothing came for long."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from musrecd.analysis.card import SHIPPED_WEIGHTS
from musrecd.config import Config
from musrecd.errors import LibraryDamagedError, MusrecError
from musrecd.ingest.pool import Workers
from musrecd.ingest.work import Outcome, Task, WorkerSettings

# One component of the log: whoever reads it does not care where the workers are kept.
_log = logging.getLogger("musrecd.daemon.work")

_NICENESS = 10
_MEMORY_BYTES = 2 * 1024**3
_REST_AFTER_S = 60.0
# How long nothing is begun after workers failed as a whole: longer each time, until something is heard again.
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 60.0
# How long the workers take to begin, at most, on a machine that has much to do.
_BEGIN_S = 120.0
_NO_WORKERS = "the daemon has no workers now; its log says why"
_ENDED = "the daemon has ended its workers"


@dataclass(frozen=True, slots=True)
class Heard:
    """A task is done: its `future` has the outcome."""

    task: Task
    future: Future[Outcome]


@dataclass(frozen=True, slots=True)
class _Given:
    task: Task
    answer: Future[Outcome] | None
    at: float


class Hearing:
    """Hears files; `tell` is called from a thread of the pool when one is done.

    Workers that fail as a whole (they cannot be started, the encoder cannot be loaded) are ended, and others are
    tried after a while.
    """

    def __init__(
        self, config: Config, tell: Callable[[Heard], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config, self._tell, self._clock = config, tell, clock
        self._workers: Workers | None = None
        self._under_way: dict[Future[Outcome], _Given] = {}
        self._used_at = self._heard_at = self._not_before = clock()
        self._wait_s = _FIRST_WAIT_S

    @property
    def room(self) -> int:
        """How many more files may be given: one waits, so that no process does."""
        return self._config.threads + 1 - len(self._under_way) if self._may_begin() else 0

    @property
    def paths(self) -> set[bytes]:
        """Which files are under way."""
        return {given.task.file.path for given in self._under_way.values()}

    @property
    def begins_at(self) -> float:
        """From when on, on its clock, something can be begun; in the past as long as all is well."""
        return self._not_before

    @property
    def is_awake(self) -> bool:
        """Whether there are worker processes."""
        return self._workers is not None

    def hear(self, task: Task) -> bool:
        """Begin to hear a file; False if that cannot be now."""
        return self._give(task, None)

    def answer(self, task: Task, answer: Future[Outcome]) -> None:
        """Hear a file for somebody who waits for it."""
        if not self._give(task, answer):
            answer.set_exception(MusrecError(_NO_WORKERS))

    def warm_up(self) -> None:
        """Get workers ready for what is about to come."""
        if self._workers is None and self._may_begin():
            try:
                self._awake().warm_up()
            except MusrecError as error:
                self._give_up(error)

    def outcome(self, heard: Heard) -> Outcome | None:
        """Return what became of a file that was given to `hear`; None for others, and where the workers failed.

        Raises LibraryDamagedError.
        """
        given = self._under_way.pop(heard.future, None)
        if given is None or self._workers is None:
            return None
        self._used_at = self._heard_at = self._clock()
        try:
            outcome = self._workers.outcome(heard.future, heard.task)
        except MusrecError as error:
            if given.answer is not None:
                given.answer.set_exception(error)
            if isinstance(error, LibraryDamagedError):
                raise
            self._give_up(error)
            return None
        self._wait_s = _FIRST_WAIT_S
        if given.answer is None:
            return outcome
        given.answer.set_result(outcome)
        return None

    def check(self) -> None:
        """Notice workers that died or stand still, which nobody tells; end those that had nothing to do for long.

        To be called now and then.
        """
        if self._workers is None:
            return
        if self._workers.is_broken:
            self._give_up(MusrecError("the workers died"))
        elif self._stand_still():
            self._give_up(MusrecError("the workers stand still"))
        elif not self._under_way and self._clock() > self._used_at + _REST_AFTER_S:
            self.rest()

    def rest(self) -> None:
        """End the processes at once; what was under way is lost, and who waits for it is told."""
        given, self._under_way = self._under_way.values(), {}
        for each in given:
            if each.answer is not None:
                each.answer.set_exception(MusrecError(_ENDED))
        if self._workers is not None:
            self._workers.stop()
        self._workers = None

    def _stand_still(self) -> bool:
        """Whether nothing was done for longer than one file may take: no worker takes what is given."""
        if not self._under_way:
            return False
        since = max(self._heard_at, min(given.at for given in self._under_way.values()))
        return self._clock() > since + self._config.timeout_s + _BEGIN_S

    def _may_begin(self) -> bool:
        return self._clock() >= self._not_before

    def _give(self, task: Task, answer: Future[Outcome] | None) -> bool:
        if not self._may_begin():
            return False
        try:
            future = self._awake().submit(task)
        except MusrecError as error:
            self._give_up(error)
            return False
        self._under_way[future] = _Given(task, answer, self._clock())
        self._used_at = self._clock()
        future.add_done_callback(lambda done: self._tell(Heard(task, done)))
        return True

    def _awake(self) -> Workers:
        if self._workers is None:
            settings = WorkerSettings(
                self._config.encoder or SHIPPED_WEIGHTS,
                self._config.library,
                _NICENESS,
                _MEMORY_BYTES,
                self._config.coverage,
            )
            self._workers = Workers(settings, self._config.threads, self._config.timeout_s)
            self._used_at = self._clock()
        return self._workers

    def _give_up(self, error: MusrecError) -> None:
        _log.error("nothing can be heard now", extra={"reason": str(error), "again_in_s": self._wait_s})
        self.rest()
        self._not_before = self._clock() + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
