"""Takes writes back: each file gets exactly the genres that it had before ours, unless somebody changed them since."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from musrecd.errors import TagError
from musrecd.library.database import chunks
from musrecd.library.journal import Entry, Plan
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.elsewhere import NOWHERE, Elsewhere
from musrecd.tagging.files import Change, FileTags, Rules
from musrecd.tagging.files.model import GENRE, KEY, MOOD, TEMPO
from musrecd.tagging.outcome import Outcome, Result
from musrecd.tagging.writing import Prepared, not_written, perform, state_of

_AT_ONCE = 25
_SOURCE = "undo"


@dataclass(frozen=True, slots=True)
class Undo:
    """How writes are taken back: `force` does so even where somebody changed the genres since."""

    rules: Rules
    author: str
    elsewhere: Elsewhere = NOWHERE
    force: bool = False


def undo(library: Library, reader: LibraryReader, entries: Iterable[Entry], how: Undo) -> Iterator[Outcome]:
    """Take writes back, the newest of each file first; one outcome each. To be used by the `only_writer`."""
    run = library.journal.next_run(how.author)
    for entries_once in _rounds(each for each in entries if each.stands):
        for batch in chunks(entries_once, _AT_ONCE):
            found = [_prepare(reader, entry, how) for entry in batch]
            prepared = [each for each in found if isinstance(each, Prepared)]
            performed = iter(perform(library, run, prepared, how.rules, how.elsewhere))
            outcomes = [each if isinstance(each, Outcome) else next(performed) for each in found]
            pairs = zip(batch, outcomes, strict=True)
            spared = [entry.number for entry, outcome in pairs if outcome.result in ("left", "refused")]
            library.journal.spare(spared, by_force=how.force)
            yield from outcomes


def current_path(reader: LibraryReader, entry: Entry) -> bytes | None:
    """Find where the file lies now: where it was, or where else its recording is.

    Not at a path where another write into the same recording is noted: that is a copy, with genres of its own.
    """
    path, audio_id = entry.plan.path, entry.plan.audio_id
    there = [each for each in reader.files_of(audio_id) if os.path.lexists(each)]
    if path in there:
        return path
    copies = {each.plan.path for each in reader.journal.newest([audio_id]).get(audio_id, [])}
    moved = [each for each in there if each not in copies]
    if len(moved) == 1:
        return moved[0]
    return path if os.path.lexists(path) else None


def _is_unmounted(path: bytes) -> bool:
    """Whether nothing is left where a file was, so that it may be there again with its disk."""
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    try:
        return not os.listdir(folder)
    except OSError:
        return True


def _rounds(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Sort into rounds in which no file comes twice, newest first."""
    by_path: dict[bytes, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: -each.number):
        by_path.setdefault(entry.plan.path, []).append(entry)
    for number in range(max(map(len, by_path.values()), default=0)):
        yield [each[number] for each in by_path.values() if len(each) > number]


def _prepare(reader: LibraryReader, entry: Entry, how: Undo) -> Prepared | Outcome:
    path, plan = current_path(reader, entry), entry.plan
    if path is None:
        result: Result = "failed" if _is_unmounted(plan.path) else "left"
        return Outcome(plan.path, result, plan.genres_after, plan.genres_after, "the file is not there")
    in_beets, state = how.elsewhere.genres(path), state_of(path)
    try:
        tags = None if plan.file_before is None else files.read(path)
    except TagError as error:
        return not_written(path, plan.genres_after, error)
    current = (in_beets or ()) if tags is None else tags.genres
    has_genres = (plan.genres_before, plan.beets_before) != (plan.genres_after, plan.beets_after)
    is_ours = not has_genres or tags is None or tags.genres == plan.genres_after
    if has_genres and plan.beets_after is not None and in_beets is not None:
        is_ours = is_ours and in_beets == plan.beets_after
    topics = ((GENRE,) if has_genres else ()) + (() if tags is None else _still_ours(plan, tags))
    if (not is_ours and not how.force) or (tags is not None and not topics):
        return Outcome(path, "left", current, current, "changed by somebody since; --force takes it back all the same")
    back = Plan(
        path,
        plan.audio_id,
        current,
        plan.genres_before if has_genres else current,
        None if tags is None else tags.raw,
        None if plan.beets_after is None else in_beets,
        None if in_beets is None else plan.beets_before if has_genres else in_beets,
        _SOURCE,
        undoes=entry.number,
        bpm=plan.bpm if tags is None or TEMPO in topics else None,
        key=plan.key if tags is None or KEY in topics else None,
    )
    if tags is None:
        return Prepared(back, None, None)
    return Prepared(back, Change(raw=plan.file_before, topics=topics), state)


def _still_ours(plan: Plan, tags: FileTags) -> tuple[str, ...]:
    """Return the topics besides genre that are as we wrote them; all else is somebody's own."""
    wrote = {
        MOOD: (plan.moods, tags.moods),
        TEMPO: (() if plan.bpm is None else (str(plan.bpm),), tags.tempo),
        KEY: (() if plan.key is None else (plan.key,), tags.key),
    }
    return tuple(topic for topic, (ours, found) in wrote.items() if ours and ours == found)
