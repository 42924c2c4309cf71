"""`musrecd tag`: what genres files would get, and on request into the files with them."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from musrecd.commands.progress import ProgressBar
from musrecd.commands.proposals import ASK_FROM, Proposal, lines, to_dict
from musrecd.commands.summary import summary_line
from musrecd.config import Config
from musrecd.display import counted, printable, printable_path
from musrecd.errors import MusrecError, TagError
from musrecd.ingest.discover import find_files
from musrecd.ingest.ingest import ingest
from musrecd.ingest.work import Task
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.genres import Genres
from musrecd.tagging.outcome import Outcome
from musrecd.tagging.policy import Among, Policy
from musrecd.tagging.settings import rules_of
from musrecd.tagging.wishes import Wish, decide_for, wishes_for
from musrecd.tagging.writing import How, finish_interrupted, only_writer, write_all

AUTHOR = "musrecd"
_SHOWN_WORDS = 3


@dataclass(slots=True)
class Report:
    """How many files were written, left as they were, and could not be written."""

    written: int = 0
    left: int = 0
    failed: int = 0
    interrupted: bool = False


def tag_files(
    config: Config, paths: Sequence[bytes], policy: Policy, *, write: bool, yes: bool, as_json: bool
) -> Report:
    """Show what files at and below `paths` would get; with `write` write it, after a question if they are many."""
    report = Report()
    tasks = _heard(config, paths, report)
    with LibraryReader.open(config.library) as reader:
        info = reader.encoder()
        if info is None:
            raise MusrecError("nothing could be analysed")
        genres = Genres.of(reader, info, config.tagging)
        among = genres.vocabulary.among
        wishes = wishes_for(reader, info, [task.file.path for task in tasks], genres)
    proposals = _proposals(wishes, policy, among, report)
    if as_json:
        click.echo(json.dumps([{"path": each.name} | to_dict(each) for each in proposals.values()], indent=1))
    else:
        for line in lines(list(proposals.values()), shown=_SHOWN_WORDS):
            click.echo(line)
    wanted = [wish for wish in wishes if wish.path in proposals and proposals[wish.path].decision.is_change]
    report.left = len(proposals) - len(wanted)
    if not write:
        does = "; --write does it" if wanted else ""
        click.echo(f"{counted(len(wanted), 'file')} would be written{does}", err=True)
    elif wanted and (yes or len(wanted) < ASK_FROM or confirmed(f"Write genres into {len(wanted):,} files?")):
        # What is named on the command line may be a link itself.
        rules = rules_of(config.tagging, [*config.folders, *paths])
        _write(config, wanted, How(policy, rules, among, AUTHOR), report)
    return report


def confirmed(question: str) -> bool:
    """Ask a person; where there is none, say how it is done without. Raises MusrecError."""
    if not sys.stdin.isatty():
        raise MusrecError(f"{question} Nobody is there to answer: say --yes")
    return click.confirm(question, default=True, err=True)


def say(outcome: Outcome) -> None:
    """Say why a file was not written; a line on standard error."""
    click.echo(f"{printable_path(outcome.path)}: {printable(outcome.message)}", err=True)


def _heard(config: Config, paths: Sequence[bytes], report: Report) -> list[Task]:
    """Hear what is new at and below paths; return everything that is there."""
    with ProgressBar("Analysing") as bar:

        def on_error(path: bytes, message: str) -> None:
            report.failed += 1
            bar.problem(path, message)

        tasks = [Task(file) for file in find_files(paths, on_error)]
        heard = ingest(config, tasks, listener=bar.listener())
    report.failed += heard.failed
    if heard.interrupted:
        raise KeyboardInterrupt
    if heard.done:
        click.echo(summary_line(heard), err=True)
    return tasks


def _proposals(wishes: Sequence[Wish], policy: Policy, among: Among, report: Report) -> dict[bytes, Proposal]:
    found: dict[bytes, Proposal] = {}
    for wish in wishes:
        try:
            tags = files.read(wish.path)
        except TagError as error:
            report.failed += 1
            click.echo(f"{printable_path(wish.path)}: {printable(str(error))}", err=True)
            continue
        decision = decide_for(wish, tags, policy, among)
        found[wish.path] = Proposal(os.fsdecode(wish.path), tags.genres, wish.predicted, decision)
    return found


def _write(config: Config, wishes: Sequence[Wish], how: How, report: Report) -> None:
    with Library.open(config.library) as library, only_writer(config.library):
        finish_interrupted(library)
        try:
            for outcome in write_all(library, wishes, how):
                report.written += outcome.result == "written"
                report.left += outcome.result == "left"
                if outcome.result in ("refused", "failed"):
                    report.failed += 1
                    say(outcome)
        except KeyboardInterrupt:
            report.interrupted = True
