"""What is to be done now and then, without being asked: look again, back up, check what is stored."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from musrecd.config import DaemonConfig
from musrecd.daemon.messages import LookThrough, Message, Upkeep
from musrecd.library.backups import numbered
from musrecd.library.store import Library

_log = logging.getLogger(__name__)

_CLOCK_WAS_SET_S = 60.0


class Schedule:
    """Sends its messages to `tell` when their time has come; what was slept through comes once."""

    def __init__(self, config: DaemonConfig, library: Path, tell: Callable[[Message], None]) -> None:
        self._config, self._library, self._tell = config, library.resolve(), tell
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
        copy = Upkeep("backup", lambda store: back_up(store, config.backups))
        every(self._tell, "interval", days=1, args=[copy], next_run_time=_next_copy_at(self._library))
        every(self._tell, "interval", days=7, args=[Upkeep("check", check)])
        every(self._tell, "interval", days=7, args=[Upkeep("compact", compact)])
        self._scheduler.start()


def _clock_ahead() -> float:
    """By how many seconds the clock on the wall is ahead of the one that only runs forwards: others when it was set."""
    return time.time() - time.monotonic()


def _next_copy_at(library: Path) -> datetime:
    """Find the time a day after the last copy, however often the daemon was started since; soon if there is none."""
    soon = datetime.now(UTC) + timedelta(minutes=5)
    try:
        copied = datetime.fromtimestamp(numbered(library, 1).stat().st_mtime, UTC)
    except OSError:
        return soon
    return max(soon, min(copied, datetime.now(UTC)) + timedelta(days=1))


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
