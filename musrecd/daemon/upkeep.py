"""What is to be done now and then, without being asked: look again, back up, check what is stored."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from musrecd.config import DaemonConfig
from musrecd.daemon.messages import LookThrough, Message, Upkeep
from musrecd.errors import LibraryError
from musrecd.library.backups import numbered
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library

_log = logging.getLogger(__name__)

_CLOCK_WAS_SET_S = 60.0
_BUSY_TIMEOUT_S = 0.5


Chore = tuple[str, float, Callable[[Library], None]]
"""What is done to the library: its name, every how many days, and how."""


class Schedule:
    """Sends its messages to `tell` when their time has come; what was slept through comes once.

    `more` are chores beside those that every library needs.
    """

    def __init__(
        self, config: DaemonConfig, library: Path, tell: Callable[[Message], None], more: Sequence[Chore] = ()
    ) -> None:
        self._config, self._library, self._tell, self._more = config, library.resolve(), tell, more
        self._begin()

    def check(self) -> None:
        """Begin anew when the clock was set, or the machine slept: times to come may be far away, or all past."""
        if abs(_clock_ahead() - self._clock_ahead) > _CLOCK_WAS_SET_S:
            _log.warning("the clock was set", extra={"seconds": round(_clock_ahead() - self._clock_ahead)})
            self.stop()
            self._begin()
            self._tell(LookThrough())

    def stop(self) -> None:
        """Send nothing more."""
        self._scheduler.shutdown(wait=False)

    def _begin(self) -> None:
        self._clock_ahead = _clock_ahead()
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )
        every, config = self._scheduler.add_job, self._config
        every(self._tell, "interval", minutes=config.rescan_minutes, args=[LookThrough()])
        every(self._tell, "interval", minutes=config.poll_minutes, args=[LookThrough(only_polled=True)])
        chores = self._chores()
        done_at = _done_at(self._library, [name for name, _, _ in chores])
        for name, days, do in chores:
            due_at = _next_at(done_at[name], days)
            every(self._tell, "interval", days=days, args=[Upkeep(name, do)], next_run_time=due_at)
        self._scheduler.start()

    def _chores(self) -> list[Chore]:
        """Say what is done to the library, and every how many days; other duties of the daemon are lines here."""
        return [
            ("backup", 1, lambda library: back_up(library, self._config.backups)),
            ("check", 7, check),
            ("compact", 7, compact),
            *self._more,
        ]


def _clock_ahead() -> float:
    """By how many seconds the clock on the wall is ahead of the one that only runs forwards: others when it was set."""
    return time.time() - time.monotonic()


def _done_at(library: Path, names: Sequence[str]) -> dict[str, datetime | None]:
    """Read when each was done last; a library that cannot be read at once keeps nobody from beginning."""
    try:
        with LibraryReader.open(library, busy_timeout_s=_BUSY_TIMEOUT_S) as reader:
            return {name: reader.done_at(name) for name in names}
    except LibraryError:
        return dict.fromkeys(names)


def _next_at(done_at: datetime | None, days: float) -> datetime:
    """Find the time `days` after it was done last, however often the daemon was started since; soon if it never was."""
    soon = datetime.now(UTC) + timedelta(minutes=5)
    if done_at is None:
        return soon
    return max(soon, min(done_at, datetime.now(UTC)) + timedelta(days=days))


def back_up(library: Library, n_kept: int) -> None:
    """Copy the library beside itself; the copy before that is kept with a higher number, up to `n_kept`."""
    names = [numbered(library.path, number) for number in range(1, n_kept + 1)]
    if not names:
        return
    newest = numbered(library.path, 0)
    library.backup(newest)
    for older, younger in zip(reversed(names), [*reversed(names[:-1]), newest], strict=True):
        if younger.exists():
            younger.replace(older)
    _log.info("backed up", extra={"path": bytes(names[0])})


def check(library: Library) -> None:
    """Read everything; what is damaged waits to be heard again."""
    n_damaged = library.verify()
    _log.log(logging.WARNING if n_damaged else logging.INFO, "checked", extra={"damaged": n_damaged})


def compact(library: Library) -> None:
    """Give back what superseded encoders left."""
    _log.info("compacted", extra=asdict(library.compact()))
