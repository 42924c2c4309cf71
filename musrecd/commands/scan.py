"""`musrecd scan`: bring the library in line with folders on disk."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.analysis.hearing import HEARING, full_version
from musrecd.commands.progress import ProgressBar
from musrecd.commands.summary import summary_line
from musrecd.config import Config
from musrecd.display import counted, printable_path
from musrecd.errors import LibraryUnavailableError
from musrecd.ingest.discover import find_files
from musrecd.ingest.ingest import Performer, ingest
from musrecd.ingest.report import Report
from musrecd.ingest.vanished import EmptiedError, is_below, vanished
from musrecd.ingest.work import Task
from musrecd.library.looks import Sight
from musrecd.library.store import Library
from musrecd.types import FileState

_NONE: Mapping[bytes, Sight] = {}
# By which the workers show that they see the music.
_N_SAMPLES = 20


def scan_folders(
    config: Config,
    folders: Sequence[bytes],
    *,
    force: bool = False,
    retry_failed: bool = False,
    scheduler: str | None = None,
    sights: Mapping[bytes, Sight] = _NONE,
) -> Report:
    """Analyse what is new below `folders`, mark what has vanished, and say so.

    The workers of a `scheduler` hear it, if one is named. That there was nothing to do is noted of those folders, by
    their absolute paths, whose `sights` are given, as they were before. Raises LibraryError, EncoderError,
    ClusterError.
    """
    unread: list[bytes] = []
    n_missing = 0
    with ProgressBar("Analysing") as bar:

        def on_error(path: bytes, message: str) -> None:
            unread.append(path)
            bar.problem(path, message)

        found = list(find_files(folders, on_error))
        tasks = [Task(file) for file in found]
        with _workers(config, found, bar, force=force, scheduler=scheduler) as workers:
            report = ingest(
                config, tasks, listener=bar.listener(), force=force, retry_failed=retry_failed, workers=workers
            )
    report.failed += len(unread)
    paths = {file.path for file in found}
    if not report.interrupted:
        n_missing = _mark_missing(config.library, folders, paths, unread)
    if report.found_nothing_to_do and not n_missing:
        _note(config.library, sights, paths)
    click.echo(summary_line(report), err=True)
    return report


@contextmanager
def _workers(
    config: Config, files: Sequence[FileState], bar: ProgressBar, *, force: bool, scheduler: str | None
) -> Iterator[Performer | None]:
    if scheduler is None:
        yield None
        return
    from musrecd.cluster.performer import ClusterWorkers, Listener, Run
    from musrecd.library.exchange import known_ids

    info = read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info
    samples = tuple(files[:: len(files) // _N_SAMPLES + 1])
    with Library.open(config.library) as library:  # made or migrated, if it has to be, before it is asked
        library.register_encoder(info, HEARING)
    known = b"" if force else known_ids(config.library, info.version)
    run = Run(full_version(info.version), config.timeout_s, known, samples)
    workers = ClusterWorkers(scheduler, run, Listener(bar.on_crew, bar.notice))
    try:
        yield workers
    finally:
        workers.stop()


def _mark_missing(library: Path, folders: Sequence[bytes], found: set[bytes], unread: Sequence[bytes]) -> int:
    """Mark what vanished, of a folder without one music file left nothing; returns how many files are missed."""
    n_missing = 0
    for folder in map(os.path.abspath, folders):
        try:
            missing = vanished(library, folder, found, unread)
        except EmptiedError as emptied:
            click.echo(
                f"{printable_path(folder)} holds no music any more; its {counted(emptied.n_known, 'track')} stay in "
                "the library in case it is only not mounted",
                err=True,
            )
            n_missing += emptied.n_known
            continue
        n_missing += len(missing)
        if missing:
            with Library.open(library) as writer:
                writer.mark_missing(missing)
    return n_missing


def _note(library: Path, sights: Mapping[bytes, Sight], found: Collection[bytes]) -> None:
    """Take note that there was nothing to do, so that the next scan need not walk."""
    # It only saves a walk: a library that cannot be written now fails no scan that has nothing to write.
    with suppress(LibraryUnavailableError), Library.open(library) as writer:
        for folder, sight in sights.items():
            writer.note_look(folder, sight, sum(is_below(path, folder) for path in found), 0)
