"""`musrecd journal` and `musrecd undo`: what was written into files, and the way back."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len

from musrecd.commands.proposals import ASK_FROM, padded
from musrecd.commands.tag import AUTHOR, Report, confirmed, say
from musrecd.config import Config
from musrecd.display import counted, printable, printable_path
from musrecd.errors import MusrecError, TagError
from musrecd.library.journal import Entry, Plan
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.heard import Heard
from musrecd.tagging.settings import rules_of
from musrecd.tagging.undo import Undo, current_path, undo
from musrecd.tagging.writing import finish_interrupted, only_writer, state_of

_WIDEST = 50


def choose(reader: LibraryReader, words: Sequence[str], *, by_force: bool = False) -> list[Entry]:
    """Find the writes that `last`, `since DATE` or paths name. Raises MusrecError.

    The last run is the newest of which something may still be taken back, `by_force` or not.
    """
    if list(words) == ["last"]:
        run = reader.journal.last_run(by_force=by_force)
        return [] if run is None else reader.journal.entries(run=run)
    if words and words[0] == "since":
        return reader.journal.entries(since=_moment(" ".join(words[1:])))
    wanted = {place(os.fsencode(word)) for word in words for place in (os.path.abspath, os.path.realpath)}
    found = ((each, {each.plan.path, current_path(reader, each)} - {None}) for each in reader.journal.entries())
    return [each for each, paths in found if any(_is_at(path, place) for path in paths if path for place in wanted)]


def take_back(config: Config, words: Sequence[str], *, pretend: bool, force: bool, yes: bool) -> Report:
    """Take writes back and say what came of it. Raises MusrecError if there is nothing to take back."""
    report = Report()
    with LibraryReader.open(config.library) as reader:
        entries = [each for each in choose(reader, words, by_force=force) if each.stands]
        if not entries:
            raise MusrecError("there is nothing to take back; `musrecd journal` shows what was written")
        if any(each.plan.beets_after is not None for each in entries):
            raise MusrecError("beets manages some of these files: take them back with `beet tagpredict --undo`")
        if pretend:
            for line in journal_lines(reader, entries):
                click.echo(line)
            click.echo(f"{counted(len(entries), 'write')} would be taken back", err=True)
        elif yes or len(entries) < ASK_FROM or confirmed(f"Take back {len(entries):,} writes?"):
            _take_back(config, reader, entries, report, force=force)
    return report


def _take_back(config: Config, reader: LibraryReader, entries: Sequence[Entry], report: Report, *, force: bool) -> None:
    with Library.open(config.library) as library, only_writer(config.library):
        finish_interrupted(library)
        roots: list[bytes | Path] = [*config.folders, *{os.path.dirname(each.plan.path) for each in entries}]
        how = Undo(rules_of(config.tagging, roots), AUTHOR, force=force)
        try:
            for outcome in undo(library, reader, entries, how):
                report.written += outcome.result == "written"
                if outcome.result != "written":
                    report.failed += 1
                    say(outcome)
        except KeyboardInterrupt:
            report.interrupted = True


def show(config: Config, words: Sequence[str], *, number: int, as_json: bool) -> None:
    """Print the journal, oldest first."""
    with LibraryReader.open(config.library) as reader:
        entries = choose(reader, words)[-number:] if words else reader.journal.entries(number=number)
        if as_json:
            click.echo(json.dumps([to_dict(reader, each) for each in entries], indent=1))
            return
        for line in journal_lines(reader, entries):
            click.echo(line)


def journal_lines(reader: LibraryReader, entries: Sequence[Entry]) -> list[str]:
    """Write a line for each entry, in columns."""
    undone = reader.journal.numbered([each.plan.undoes for each in entries if each.plan.undoes is not None])
    rows = [
        (
            _minute(each),
            _change(each.plan),
            "" if each.plan.probability is None else f"{each.plan.probability:.0%}",
            _source(each, undone),
            fate(reader, each),
            printable_path(each.plan.path),
        )
        for each in entries
    ]
    widths = [min(_WIDEST, max((cell_len(row[i]) for row in rows), default=0)) for i in range(5)]
    return ["  ".join([*(padded(row[i], widths[i]) for i in range(5)), row[5]]) for row in rows]


def _minute(entry: Entry) -> str:
    return f"{datetime.fromisoformat(entry.written_at).astimezone():%Y-%m-%d %H:%M}"


def _source(entry: Entry, undone: Mapping[int, Entry]) -> str:
    """Say who predicted what was written, or when what was taken back had been written."""
    if (back := undone.get(entry.plan.undoes or 0)) is None:
        return entry.plan.source
    return f"{entry.plan.source} of run {back.run}, {_minute(back)}"


def fate(reader: LibraryReader, entry: Entry) -> str:
    """Say what became of a write since: '' if it stands as it was made."""
    if entry.state != "done":
        return {"begun": "interrupted", "undone": "taken back"}[entry.state]
    path = current_path(reader, entry)
    if path is None:
        return "file gone"
    state = state_of(path)
    if entry.plan.file_before is None or (entry.file and state and entry.file[1:] == state[1:]):
        return ""
    newest = (each for each in reader.journal.newest([entry.plan.audio_id]).get(entry.plan.audio_id, []))
    if any(each.number > entry.number and each.plan.path == entry.plan.path for each in newest):
        return "written again"
    try:
        return "" if files.read(path).genres == entry.plan.genres_after else "changed since"
    except TagError:
        return "unreadable now"


def to_dict(reader: LibraryReader, entry: Entry) -> dict[str, Any]:
    """Return an entry as plain values."""
    plan = entry.plan
    return {
        "number": entry.number,
        "run": entry.run,
        "written_at": entry.written_at,
        "path": printable_path(plan.path),
        "audio_id": plan.audio_id,
        "before": list(plan.genres_before),
        "after": list(plan.genres_after),
        "bpm": plan.bpm,
        "key": plan.key,
        "source": plan.source,
        "probability": plan.probability,
        "state": entry.state,
        "since": fate(reader, entry),
        "undoes": plan.undoes,
    }


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC).isoformat(timespec="seconds")
    except ValueError as error:
        raise MusrecError(f"since when? {text.strip()!r} is no date such as 2026-11-20 or 2026-11-20T14:00") from error


def _is_at(path: bytes, place: bytes) -> bool:
    return path == place or path.startswith(place.rstrip(b"/") + b"/")


def _change(plan: Plan) -> str:
    """Say what was written; what was taken back besides genres with a minus."""
    genres = f"{_words(plan.genres_before)} → {_words(plan.genres_after)}"
    heard = f"{'+' if plan.undoes is None else '-'} {Heard(plan.bpm, plan.key)}" if plan.bpm or plan.key else ""
    if heard and plan.genres_before == plan.genres_after:
        return heard
    return "; ".join(filter(None, (genres, heard)))


def _words(genres: Sequence[str]) -> str:
    return printable(", ".join(genres)) or "–"
