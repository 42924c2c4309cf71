"""What a worker process does with one file. It holds one encoder and one reader of the library."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from musrecd.errors import AudioError
from musrecd.types import Analysis, Coverage, FileState, KnownRecording, Tags


@dataclass(frozen=True, slots=True)
class Task:
    """One file to hear; its tags if whoever asks knows them better than the file."""

    file: FileState
    tags: Tags | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: `heard` something, or a failure with its `reason` and `message`."""

    file: FileState
    heard: Analysis | KnownRecording | None = None
    tags: Tags = field(default_factory=Tags)
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker process is started with. Without a library every file is analysed.

    `niceness` is added to that of the parent; `memory_bytes` is all that a worker may take for its data, a file that
    needs more costs the worker (Linux; elsewhere nothing limits it); `known` is a list of the recordings that need not
    be heard, for whoever has no library (see `known.py`).
    """

    weights: Path
    library: Path | None
    niceness: int = 0
    memory_bytes: int | None = None
    coverage: Coverage = "windows"
    known: Path | None = None


OUT_OF_MEMORY = 77  # with which a worker ends that has none left
_NO_MEMORY = "allocate memory"  # torch has no MemoryError

_settings: WorkerSettings | None = None
_perform: Callable[[Task], Outcome] | None = None


def start_worker(settings: WorkerSettings) -> None:
    """Begin a worker process: it leaves Ctrl-C to its parent and ends when the parent ends.

    What can fail waits for the first task, whose future carries the error to whoever asked.
    """
    global _settings
    _settings = settings
    begin_process(settings.niceness)
    if settings.memory_bytes and sys.platform == "linux":
        _limit_memory(settings.memory_bytes)


def begin_process(niceness: int) -> None:
    """Leave Ctrl-C to the parent, end when it ends, and let others go first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if niceness:
        os.nice(niceness)
    Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()


def _limit_memory(n_bytes: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = n_bytes if most == resource.RLIM_INFINITY else min(n_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _follow_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def perform(task: Task) -> Outcome:
    """Hear one file in this worker; a failure is an outcome, too.

    A worker that has no memory left would fail at whatever comes next: it ends, and another takes its place.
    Raises EncoderError or LibraryError if this worker cannot hear anything at all.
    """
    try:
        return _performer()(task)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except RuntimeError as error:
        if _NO_MEMORY in str(error):
            os._exit(OUT_OF_MEMORY)
        raise


def prepare() -> None:
    """Load the encoder in this worker, for the first file to come. Raises as `perform` does."""
    _performer()


def _performer() -> Callable[[Task], Outcome]:
    global _perform
    if _perform is None:
        if _settings is None:
            raise RuntimeError("start_worker has not run in this process")
        _perform = _make_performer(_settings)
    return _perform


def _make_performer(settings: WorkerSettings) -> Callable[[Task], Outcome]:
    """Load the encoder, once for this process."""
    import torch
    from threadpoolctl import threadpool_limits

    from musrecd.analysis.analyse import analyse_unless_known
    from musrecd.analysis.encoder import load_encoder
    from musrecd.ingest.known import KnownList
    from musrecd.ingest.tags import read_tags
    from musrecd.library.database import PATIENT_TIMEOUT_S
    from musrecd.library.reader import LibraryReader

    # Several single-threaded processes are faster than one with several threads, in torch and in numpy.
    torch.set_num_threads(1)
    threadpool_limits(1)
    encoder = load_encoder(settings.weights, settings.coverage)
    reader = LibraryReader.open(settings.library, busy_timeout_s=PATIENT_TIMEOUT_S) if settings.library else None
    listed = KnownList(settings.known) if settings.known else ()

    def is_known(audio_id: str) -> bool:
        return audio_id in listed or (reader is not None and reader.knows(audio_id, encoder.info.version))

    def perform_one(task: Task) -> Outcome:
        try:
            heard = analyse_unless_known(task.file.path, encoder, is_known)
        except AudioError as error:
            return Outcome(task.file, reason=error.reason, message=str(error))
        return Outcome(task.file, heard, task.tags if task.tags is not None else read_tags(task.file.path))

    return perform_one
