"""Hear what is new and store it: the one way by which analyses come into the library."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.analysis.hearing import HEARING
from musrecd.config import Config
from musrecd.ingest.pool import Workers
from musrecd.ingest.report import Report
from musrecd.ingest.work import Outcome, Task, WorkerSettings
from musrecd.library.store import Library
from musrecd.types import Analysis, FileState, Tags


@dataclass(frozen=True, slots=True)
class Listener:
    """Who wants to know: `on_total(n)` once, then `on_outcome` for every file."""

    on_total: Callable[[int], None] = lambda n: None
    on_outcome: Callable[[Outcome], None] = lambda outcome: None


class Performer(Protocol):
    """Who hears files: `pool.Workers`, or others that stand in for them."""

    def perform(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield an outcome for every task. Raises EncoderError or LibraryError."""

    def stop(self) -> None:
        """End at once."""


def ingest(
    config: Config,
    tasks: Iterable[Task],
    *,
    listener: Listener | None = None,
    force: bool = False,
    retry_failed: bool = False,
    workers: Performer | None = None,
) -> Report:
    """Analyse those of `tasks` that are not known yet; each is stored as soon as it is heard.

    `workers` that somebody keeps are used and kept, otherwise some are started for this run. Ctrl-C ends the
    run cleanly with `interrupted` set; the next run goes on from there.
    Raises EncoderError, LibraryError.
    """
    listener = listener or Listener()
    weights = config.encoder or SHIPPED_WEIGHTS
    info = read_card(weights, config.coverage).info
    started = time.monotonic()
    with Library.open(config.library) as library:
        library.register_encoder(info, HEARING)
        by_file = {task.file: task for task in tasks}
        pending = list(library.pending(by_file, info.version, force=force, retry_failed=retry_failed))
        n_skipped = 0 if retry_failed else _count_failed(library, by_file, pending, info.version, force=force)
        report = Report(known=len(by_file) - len(pending) - n_skipped, skipped=n_skipped)
        listener.on_total(len(pending))
        wanted = [by_file[file] for file in pending]
        try:
            heard = workers.perform(wanted) if workers else _hear(config, wanted, force=force)
            for outcome in heard:
                _store(library, outcome, info.version, report)
                listener.on_outcome(outcome)
        except KeyboardInterrupt:
            report.interrupted = True
    report.seconds = time.monotonic() - started
    return report


def start_workers(config: Config, *, force: bool = False, at_most: int | None = None) -> Workers:
    """Start processes that hear files; with `force` they analyse recordings that are known, too."""
    # The workers ask the library what it knows, so it has to be there before them.
    Library.open(config.library).close()
    known_by = None if force else config.library
    settings = WorkerSettings(config.encoder or SHIPPED_WEIGHTS, known_by, coverage=config.coverage)
    return Workers(settings, min(config.threads, at_most or config.threads), config.timeout_s)


def _hear(config: Config, tasks: list[Task], *, force: bool) -> Iterator[Outcome]:
    if tasks:
        with start_workers(config, force=force, at_most=len(tasks)) as workers:
            yield from workers.perform(tasks)


def _count_failed(
    library: Library, files: Iterable[FileState], pending: list[FileState], version: str, *, force: bool
) -> int:
    retried = library.pending(files, version, force=force, retry_failed=True)
    return sum(1 for _ in retried) - len(pending)


def _store(library: Library, outcome: Outcome, version: str, report: Report) -> None:
    if outcome.heard is None:
        library.add_failure(outcome.file, version, outcome.reason, outcome.message)
        report.failed += 1
        report.failures.append((outcome.file.path, outcome.message))
    elif isinstance(outcome.heard, Analysis):
        library.add(outcome.file, outcome.heard, outcome.tags)
        report.analysed += 1
    else:
        library.attach(outcome.file, outcome.heard.audio_id, outcome.tags)
        report.recognised += 1


def task_for(path: bytes, tags: Tags | None = None) -> Task:
    """Return the task for one file as it lies there now; what cannot be looked at fails when it is heard."""
    try:
        status = os.stat(path)
        return Task(FileState(path, status.st_size, status.st_mtime_ns), tags)
    except (OSError, ValueError):
        return Task(FileState(path, 0, 0), tags)
