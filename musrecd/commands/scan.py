"""`musrecd scan`: bring the library in line with folders on disk."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from musrecd.commands.progress import ProgressBar, summary_line
from musrecd.config import Config
from musrecd.display import counted, printable_path
from musrecd.ingest.discover import find_files
from musrecd.ingest.ingest import Report, ingest
from musrecd.ingest.work import Task
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library


def scan_folders(config: Config, folders: Sequence[bytes], *, force: bool, retry_failed: bool) -> Report:
    """Analyse what is new below `folders`, mark what has vanished, and say so."""
    unread: list[bytes] = []
    with ProgressBar("Analysing") as bar:

        def on_error(path: bytes, message: str) -> None:
            unread.append(path)
            bar.problem(path, message)

        found = list(find_files(folders, on_error))
        tasks = [Task(file) for file in found]
        report = ingest(config, tasks, listener=bar.listener(), force=force, retry_failed=retry_failed)
    report.failed += len(unread)
    if not report.interrupted:
        _mark_missing(config.library, folders, {file.path for file in found}, unread)
    click.echo(summary_line(report), err=True)
    return report


def _mark_missing(library: Path, folders: Sequence[bytes], found: set[bytes], unread: Sequence[bytes]) -> None:
    """Mark what the library knows below `folders` and the walk did not see.

    A folder without one music file left is more likely unmounted than emptied: nothing of it is marked.
    What lies below an unreadable folder may well be there.
    """
    for folder in map(os.path.abspath, folders):
        with LibraryReader.open(library) as reader:
            known = reader.paths_below(folder)
        if known and not any(_is_below(path, folder) for path in found):
            click.echo(
                f"{printable_path(folder)} holds no music any more; its {counted(len(known), 'track')} stay in the "
                "library in case it is only not mounted",
                err=True,
            )
            continue
        # Files that were named by themselves, or that beets manages, may lie where no walk looks.
        unseen = [path for path in known - found if not os.path.lexists(path)]
        missing = [path for path in unseen if not any(_is_below(path, folder) for folder in unread)]
        if missing:
            with Library.open(library) as writer:
                writer.mark_missing(missing)


def _is_below(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
