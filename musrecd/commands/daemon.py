"""`musrecd start` and `stop`, for people without systemd or launchd; and what goes to a daemon that runs."""

import subprocess
import sys
import time
from collections.abc import Sequence

import click
import platformdirs
from filelock import FileLock, Timeout

from musrecd.config import Config
from musrecd.daemon.address import lock_path
from musrecd.daemon.client import ask
from musrecd.display import printable_path
from musrecd.errors import MusrecError

_START_S = 60.0
_STOP_S = 15.0
_LOOK_S = 0.05
_STATUS_S = 5.0


def start(config: Config, options: Sequence[str]) -> None:
    """Start a daemon that outlives this terminal; `options` are those of `musrecd` itself."""
    if _answers(config):
        raise MusrecError("musrecd is running already; `musrecd status` shows it")
    log = platformdirs.user_log_path("musrec") / "musrecd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "-m", "musrecd.cli", *options, "run", "--log-time"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            cwd="/",
        )
    deadline = time.monotonic() + _START_S
    while not _answers(config):
        if process.poll() is not None or time.monotonic() > deadline:
            raise MusrecError(f"musrecd did not start; {printable_path(bytes(log))} says why")
        time.sleep(_LOOK_S)
    click.echo(f"musrecd runs (process {process.pid}); it writes to {printable_path(bytes(log))}")


def stop(config: Config) -> None:
    """End the daemon and wait until it is gone."""
    answer = ask(config.library, {"do": "stop"}, timeout_s=_STATUS_S)
    if answer is None:
        raise MusrecError("musrecd is not running")
    try:
        # It gives the lock back at the very end. Its process may still be there then, if nobody asked how it ended.
        with FileLock(lock_path(config.library), timeout=_STOP_S, poll_interval=_LOOK_S):
            pass
    except Timeout as error:
        raise MusrecError(f"musrecd does not end; `kill -9 {answer['pid']}` loses nothing that was stored") from error
    click.echo("musrecd has ended")


def _answers(config: Config) -> bool:
    return ask(config.library, {"do": "status"}, timeout_s=_STATUS_S) is not None


def retry(config: Config) -> int:
    """Let everything that failed be tried again, by the daemon if there is one; returns how many files that are."""
    from musrecd.library.reader import LibraryReader
    from musrecd.library.store import Library
    from musrecd.types import Priority

    with LibraryReader.open(config.library) as reader:
        paths = [failure.path for failure in reader.failures()]
    with Library.open(config.library) as library:
        library.enqueue(paths, Priority.ASKED)
    ask(config.library, {"do": "look", "folders": []}, timeout_s=_STATUS_S)
    return len(paths)
