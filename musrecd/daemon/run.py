"""Runs the daemon as a process: one for each library, until a signal or a person ends it."""

import errno
import logging
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import Self, TypeVar

from filelock import BaseFileLock, FileLock, Timeout
from sdnotify import SystemdNotifier

from musrecd.config import Config
from musrecd.daemon import logs, playlists
from musrecd.daemon.address import lock_path, socket_path
from musrecd.daemon.answering import Answering
from musrecd.daemon.messages import Message, Stop
from musrecd.daemon.server import Server
from musrecd.daemon.service import Service
from musrecd.daemon.upkeep import Schedule
from musrecd.display import printable_path
from musrecd.errors import LibraryDamagedError, LibraryUnavailableError, MusrecError
from musrecd.library import recovery
from musrecd.library.store import Library

_log = logging.getLogger(__name__)

T = TypeVar("T")

# While the loop waits for the library it answers nobody; it rather tries again.
_BUSY_TIMEOUT_S = 0.5
# At the start nobody can be answered anyway; `musrecd start` waits a little longer than that.
_PATIENCE_S = 45.0
_CHECK_S = 5.0
_SOON_S = 600.0
_MAY_PASS = {errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def run_daemon(read_config: Callable[[], Config], *, log_time: bool) -> None:
    """Watch, hear and answer until told to end; `read_config` is called again when told to reload.

    Raises MusrecError if another daemon serves the library or this one cannot.
    """
    notifier = SystemdNotifier()
    with _Signals().caught() as signals:
        config, before = read_config(), None
        while True:
            logs.set_up(config.daemon.levels, with_time=log_time)
            try:
                stop = _serve(config, notifier, signals)
            except MusrecError as error:
                if before is None or signals.is_to_end:
                    raise
                _log.error("the configuration from before is taken again", extra={"reason": str(error)})
                config, before = before, None
                continue
            if signals.is_to_end or not stop.reload:
                break
            notifier.notify("RELOADING=1")
            signals.is_to_reload = False
            config, before = _read_again(read_config, config), config
    notifier.notify("STOPPING=1")


def _read_again(read_config: Callable[[], Config], config: Config) -> Config:
    try:
        return read_config()
    except MusrecError as error:
        _log.error("the configuration stays as it was", extra={"reason": str(error)})
        return config


def _serve(config: Config, notifier: SystemdNotifier, signals: "_Signals") -> Stop:
    """Serve the library, put right as often as it is found damaged."""
    with _only_one(config, signals):
        put_right_at = -math.inf
        while True:
            try:
                return _serve_library(config, notifier, signals)
            except LibraryDamagedError as error:
                _log.error("the library is damaged", extra={"reason": str(error)})
                # That nothing is found wrong with it is believed once.
                is_again = time.monotonic() < put_right_at + _SOON_S
                _patiently(partial(_put_right, config, error, notifier, even_if_sound=is_again), signals)
                put_right_at = time.monotonic()


def _put_right(config: Config, error: LibraryDamagedError, notifier: SystemdNotifier, *, even_if_sound: bool) -> None:
    # Reading all of a large library may take longer than systemd waits.
    ask_for_time = partial(notifier.notify, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=120000000")
    ask_for_time()
    recovery.put_right(config.library, error, even_if_sound=even_if_sound, on_turn=ask_for_time)


def _serve_library(config: Config, notifier: SystemdNotifier, signals: "_Signals") -> Stop:
    with ExitStack() as stack:
        library = stack.enter_context(
            _patiently(lambda: Library.open(config.library, busy_timeout_s=_BUSY_TIMEOUT_S), signals)
        )
        service = _patiently(lambda: Service(config, library), signals)
        stack.enter_context(signals.told_to(service.tell))
        answering = Answering(config)
        stack.callback(answering.stop)
        server = Server(socket_path(config.library), service.tell, service.state, answering)
        stack.callback(server.stop)
        schedule = Schedule(config.daemon, config.library, service.tell, playlists.chores(config))
        stack.callback(schedule.stop)
        notifier.notify("READY=1")
        _log.info("ready", extra={"library": bytes(config.library), "folders": len(config.folders)})
        return service.run(
            _NowAndThen([lambda: notifier.notify("WATCHDOG=1"), server.check, answering.check, schedule.check])
        )


@contextmanager
def _only_one(config: Config, signals: "_Signals") -> Iterator[None]:
    lock = FileLock(lock_path(config.library), blocking=False)
    _patiently(lambda: _acquire(lock), signals)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock) -> None:
    """Raise LibraryUnavailableError if the lock cannot be made now, MusrecError if it will never be ours."""
    try:
        lock.acquire()
    except Timeout as error:
        raise MusrecError("another musrecd serves this library; `musrecd status` shows it") from error
    except OSError as error:
        kind = LibraryUnavailableError if error.errno in _MAY_PASS else MusrecError
        where = printable_path(lock.lock_file)
        raise kind(f"the lock {where} cannot be made: {error.strerror or error}") from error


def _patiently(make: Callable[[], T], signals: "_Signals") -> T:
    """Make what needs the library; where that cannot be used, wait for a while, but not when told to end."""
    deadline = time.monotonic() + _PATIENCE_S
    is_said = False
    while True:
        try:
            return make()
        except LibraryUnavailableError as error:
            if signals.is_to_end or time.monotonic() > deadline:
                raise
            if not is_said:
                _log.warning("waits for the library", extra={"reason": str(error)})
            is_said = True
        time.sleep(_BUSY_TIMEOUT_S)


class _NowAndThen:
    """Does what is to be looked after between the turns of a loop, which may be many in a second."""

    def __init__(self, checks: Sequence[Callable[[], None]]) -> None:
        self._checks = checks
        self._next_at = time.monotonic()

    def __call__(self) -> None:
        """Check everything, if it is time to."""
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + _CHECK_S
            for check in self._checks:
                check()


class _Signals:
    """What the system or a person says by signals, from the first service to the last.

    What is said while there is no service to tell is not forgotten: nobody says it twice.
    """

    def __init__(self) -> None:
        self.is_to_end = self.is_to_reload = False
        self._tell: Callable[[Message], None] | None = None

    @contextmanager
    def caught(self) -> Iterator[Self]:
        """Take the signals."""
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, self._take) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def told_to(self, tell: Callable[[Message], None]) -> Iterator[None]:
        """Pass on what is said, and what was said since the configuration was read."""
        self._tell = tell
        if self.is_to_end or self.is_to_reload:
            tell(Stop(reload=not self.is_to_end))
        try:
            yield
        finally:
            self._tell = None

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.is_to_reload = True
        else:
            self.is_to_end = True
        if self._tell is not None:
            self._tell(Stop(reload=number == signal.SIGHUP))
