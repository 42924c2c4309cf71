"""A place where a daemon of our own runs: music, library, configuration, log; and everything to ask of it."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.daemon import client
from musrecd.library.reader import LibraryReader

_READY_S = 60.0
_LOOK_S = 0.05


class Place:
    """A folder with `music/`, `library.db`, `config.yaml` and the `log` of the daemons that ran.

    `big` scenarios do what the issue asks, others the same with a tenth or less. `options` go into the section
    `daemon` of the configuration.
    """

    def __init__(self, folder: Path, *, weights: Path | None = None, big: bool = True) -> None:
        self.folder, self.big = folder, big
        self.weights = weights or SHIPPED_WEIGHTS
        self.music, self.library, self.log = folder / "music", folder / "library.db", folder / "log"
        self.music.mkdir()
        self._runtime = folder / "run"
        self._runtime.mkdir(mode=0o700)
        # Both the daemon and who asks it look there.
        os.environ["XDG_RUNTIME_DIR"] = str(self._runtime)
        self.configure()

    @property
    def version(self) -> str:
        """Version of the encoder."""
        return read_card(self.weights).info.version

    def configure(
        self,
        *,
        folders: list[Path] | None = None,
        threads: int = 2,
        timeout: float = 120,
        tagging: dict[str, Any] | None = None,
        **daemon: Any,
    ) -> None:
        """Write the configuration."""
        section = {
            "library": str(self.library),
            "encoder": str(self.weights),
            "folders": [str(folder) for folder in folders or [self.music]],
            "threads": threads,
            "timeout": timeout,
            "tagging": tagging or {},
            "daemon": {"settle": 0.5, **daemon},
        }
        # JSON is YAML, too.
        (self.folder / "config.yaml").write_text(json.dumps({"musrec": section}), encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        """A `musrecd` command of this place."""
        return [sys.executable, "-m", "musrecd.cli", "--config", str(self.folder / "config.yaml"), *arguments]

    def musrecd(self, *arguments: str, timeout_s: float = 120.0) -> str:
        """Run a command to its end; returns what it printed. Raises CalledProcessError."""
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=True, timeout=timeout_s
        ).stdout

    @contextmanager
    def daemon(self, **environment: str) -> Iterator["Daemon"]:
        """Run a daemon that answers; killed at the end if it is still there."""
        daemon = Daemon(self, environment)
        try:
            daemon.wait_ready()
            yield daemon
        finally:
            daemon.kill()

    def status(self) -> dict[str, Any]:
        """Everything that `musrecd status --json` says."""
        status: dict[str, Any] = json.loads(self.musrecd("status", "--json"))
        return status

    def found(self) -> set[Path]:
        """Files that are analysed and not missing."""
        with LibraryReader.open(self.library) as reader:
            return {Path(os.fsdecode(path)) for path in reader.analysed_paths(self.version)}

    def n_found(self) -> int:
        """How many files are analysed and not missing; 0 without a library."""
        return len(self.found()) if self.library.exists() else 0

    def failures(self) -> dict[Path, str]:
        """Files that failed, with the reason."""
        with LibraryReader.open(self.library) as reader:
            return {Path(os.fsdecode(failure.path)): failure.message for failure in reader.failures()}

    def n_waiting(self) -> int:
        """How many files are in the queue."""
        with LibraryReader.open(self.library) as reader:
            return sum(reader.waiting().values())

    def log_text(self) -> str:
        """Everything that the daemons logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def n_logged(self, event: str) -> int:
        """How many lines of the log tell of an event, such as `heard`."""
        return sum(f"msg={event} " in line or f'msg="{event}"' in line for line in self.log_text().splitlines())

    def sql(self, statement: str, library: Path | None = None) -> list[tuple[Any, ...]]:
        """Ask the database, or that of another library, directly."""
        with closing(sqlite3.connect(f"file:{library or self.library}?mode=ro", uri=True, timeout=60)) as connection:
            return connection.execute(statement).fetchall()

    def check_sound(self) -> None:
        """Fail if the database is damaged, a row dangles, or a traceback was logged."""
        assert self.sql("PRAGMA integrity_check") == [("ok",)]
        assert self.sql("PRAGMA foreign_key_check") == []
        assert "Traceback" not in self.log_text()

    def check_alive(self, path: Path) -> None:
        """Fail unless the daemon answers and hears the good new file that is put at `path` within a minute."""
        from tests.faults.sounds import write_sound

        write_sound(path, 990_000_000 + time.time_ns() % 1_000_000)
        until(lambda: path in self.found(), 60.0, f"{path} to be heard")


class Daemon:
    """A running `musrecd run`."""

    def __init__(self, place: Place, environment: dict[str, str]) -> None:
        self._place = place
        with place.log.open("ab") as log:
            self.process = subprocess.Popen(
                place.command("run"), stdout=log, stderr=log, env={**os.environ, **environment}
            )

    def wait_ready(self) -> None:
        """Wait until it answers."""
        until(lambda: self.ask() is not None or self.process.poll() is not None, _READY_S, "the daemon to answer")
        assert self.process.poll() is None, self._place.log_text()[-2000:]

    def ask(self) -> dict[str, Any] | None:
        """What the daemon says of itself, None if it does not answer."""
        return client.ask(self._place.library, {"do": "status"}, timeout_s=5.0)

    def is_idle(self) -> bool:
        """Whether nothing waits, settles or is under way, and every folder that is there was looked through."""
        said = self.ask()
        if said is None or said["settling"] or said["looking"] or said["under_way"]:
            return False
        looked = all(f["looked_through_at"] or f["watched"] == "absent" for f in said["folders"])
        return looked and self._place.n_waiting() == 0

    def wait_idle(self, seconds: float = 120.0) -> None:
        """Wait until it is idle, twice in a row: between two states there may be a moment."""
        for _ in range(2):
            until(self.is_idle, seconds, "the daemon to have nothing to do")
            time.sleep(0.3)

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def rss_mb(self) -> float:
        """Memory of the daemon itself, without workers."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    def n_handles(self) -> int:
        """Open files of the daemon itself."""
        return psutil.Process(self.process.pid).num_fds()

    def workers(self) -> list[psutil.Process]:
        """Its processes that hear or look."""
        try:
            children = psutil.Process(self.process.pid).children()
            return [child for child in children if "multiprocessing.spawn" in " ".join(child.cmdline())]
        except psutil.Error:
            return []

    def end(self, within_s: float = 5.0) -> float:
        """End it as systemd would; returns the seconds it took. Fails if it takes longer than it may."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(within_s)
        assert self.process.returncode == 0
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill it with -9 and wait until its workers have noticed."""
        workers = self.workers() if self.is_running else []
        self.process.kill()
        self.process.wait()
        psutil.wait_procs(workers, timeout=10)


def until(is_so: Callable[[], object], seconds: float, what: str = "it") -> float:
    """Wait until something is so; returns how long that took, or fails."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"waited {seconds:.0f} s for {what}"
        time.sleep(_LOOK_S)
    return time.monotonic() - began
