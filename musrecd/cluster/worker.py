"""What a worker does for a run on another machine: it keeps a pool of processes that hear, as a run of its own would.

The functions are called by the threads of a dask worker, several at a time. A file that crashes or hangs costs one of
the processes behind them and never the worker.
"""

import logging
import multiprocessing
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.analysis.hearing import full_version
from musrecd.cluster.messages import ADVICE, Order, Ready, Stranger, Unseen
from musrecd.cluster.paths import seen_as
from musrecd.config import Config, read_config
from musrecd.display import printable_path
from musrecd.errors import UnreadableFileError, WorkerError
from musrecd.ingest.pool import Workers
from musrecd.ingest.work import Outcome, Task, WorkerSettings
from musrecd.types import FileState

_log = logging.getLogger(__name__)

# A run that ended, or whose machine is gone, says nothing: its processes end by themselves.
_IDLE_S = 30.0
_LOOK_EVERY_S = 1.0


@dataclass(slots=True)
class _Run:
    config: Config
    folder: Path | None
    pool: Workers
    is_over: bool = False
    n_hearing: int = 0
    used_at: float = field(default_factory=time.monotonic)

    def stop(self) -> None:
        self.is_over = True
        self.pool.stop()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


_lock = Lock()
_runs: dict[str, _Run] = {}
_config: Config | None = None


def use(config: Config) -> None:
    """Work with these settings; otherwise with those of the configuration file of the person who started dask."""
    global _config
    _config = config


def greet(order: Order) -> Ready:
    """Start processes for a run, or say why this worker cannot take part. Raises MusrecError if they cannot start."""
    config = _config or read_config()
    if refusal := _refusal(config, order):
        return Ready(refusal)
    with _lock:
        if order.run not in _runs:
            _runs[order.run] = _start(config, order)
            Thread(target=_end_when_idle, args=(order.run,), daemon=True).start()
    return Ready()


def hear(run: str, task: Task) -> Outcome | Unseen | Stranger:
    """Hear one file as this machine sees it; the outcome names it as the scanning machine does.

    Raises EncoderError if no file can be heard here, WorkerError if this worker is about to end.
    """
    with _lock:
        found = _runs.get(run)
        if found is None:
            return Stranger()
        found.n_hearing += 1
    try:
        return _hear(found, task)
    finally:
        with _lock:
            found.n_hearing -= 1
            found.used_at = time.monotonic()


def end_all() -> None:
    """End all processes at once."""
    with _lock:
        for run in _runs.values():
            run.stop()
        _runs.clear()


def _hear(run: _Run, task: Task) -> Outcome | Unseen:
    path = seen_as(task.file.path, run.config.cluster.paths)
    if not _sees(path, task.file):
        return Unseen()
    here = Task(FileState(path, task.file.size, task.file.mtime_ns), task.tags)
    with _lock:
        future = run.pool.submit(here)
    outcome = run.pool.outcome(future, here)
    if run.is_over:
        raise WorkerError("this worker is ending")
    if outcome.reason == UnreadableFileError.reason:
        return Unseen(outcome.message)
    return Outcome(task.file, outcome.heard, outcome.tags, outcome.reason, outcome.message)


def _sees(path: bytes, file: FileState) -> bool:
    """Whether the file is there. One of another size is another one: folders that are not what they are called."""
    try:
        return os.stat(path).st_size == file.size
    except (OSError, ValueError):
        return False


def _refusal(config: Config, order: Order) -> str:
    version = full_version(read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info.version)
    if version != order.encoder_version:
        return f"it has the encoder {version}, and {order.encoder_version} is asked for; install the same musrec"
    if multiprocessing.current_process().daemon:
        return "it may not start processes; start it with `musrecd worker`, or `dask worker --no-nanny`"
    paths = config.cluster.paths
    if order.samples and not any(_sees(seen_as(file.path, paths), file) for file in order.samples):
        first = order.samples[0].path
        here = seen_as(first, paths)
        name = printable_path(first) if here == first else f"{printable_path(first)} as {printable_path(here)}"
        return f"it sees none of the files, not {name}; {ADVICE}"
    return ""


def _start(config: Config, order: Order) -> _Run:
    folder = Path(tempfile.mkdtemp(prefix="musrec-known-")) if order.known else None
    known = folder / "known" if folder else None
    if known:
        known.write_bytes(order.known)
    settings = WorkerSettings(config.encoder or SHIPPED_WEIGHTS, None, known=known, coverage=config.coverage)
    return _Run(config, folder, Workers(settings, order.n_processes, order.timeout_s))


def _end_when_idle(name: str) -> None:
    while True:
        time.sleep(_LOOK_EVERY_S)
        with _lock:
            run = _runs.get(name)
            if run is None:
                return
            if run.n_hearing == 0 and time.monotonic() - run.used_at > _IDLE_S:
                del _runs[name]
                break
    run.stop()
    _log.info("a run ended, and its processes with it")
