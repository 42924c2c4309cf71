"""Takes writes back: each file gets exactly the genres that it had before ours, unless somebody changed them since."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from musrecd.errors import TagError
from musrecd.library.database import chunks
from musrecd.library.journal import Entry, Plan
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.files import Change, Rules
from musrecd.tagging.outcome import Outcome
from musrecd.tagging.writing import Apply, Prepared, not_written, perform, state_of

_AT_ONCE = 25
_SOURCE = "undo"

InBeets = Callable[[bytes], tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Undo:
    """How writes are taken back: `force` does so even where somebody changed the genres since.

    `in_beets` looks up the genres in beets' database, and `apply` is called with each that was taken back.
    """

    rules: Rules
    apply: Apply
    in_beets: InBeets = lambda path: None
    force: bool = False


def undo(library: Library, reader: LibraryReader, entries: Iterable[Entry], how: Undo) -> Iterator[Outcome]:
    """Take writes back, the newest of each file first; one outcome each. To be used by the `only_writer`."""
    run = library.journal.next_run()
    for entries_once in _rounds(each for each in entries if each.state == "done" and each.plan.undoes is None):
        for batch in chunks(entries_once, _AT_ONCE):
            found = [_prepare(reader, entry, how) for entry in batch]
            prepared = [each for each in found if isinstance(each, Prepared)]
            performed = iter(perform(library, run, prepared, how.rules, how.apply))
            yield from (each if isinstance(each, Outcome) else next(performed) for each in found)


def current_path(reader: LibraryReader, entry: Entry) -> bytes | None:
    """Find where the file lies now: where it was, or where the only file of its recording is."""
    if os.path.lexists(entry.plan.path):
        return entry.plan.path
    paths = [path for path in reader.files_of(entry.plan.audio_id) if os.path.lexists(path)]
    return paths[0] if len(paths) == 1 else None


def _rounds(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Sort into rounds in which no file comes twice, newest first."""
    by_path: dict[bytes, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: -each.number):
        by_path.setdefault(entry.plan.path, []).append(entry)
    for number in range(max(map(len, by_path.values()), default=0)):
        yield [each[number] for each in by_path.values() if len(each) > number]


def _prepare(reader: LibraryReader, entry: Entry, how: Undo) -> Prepared | Outcome:
    path, plan = current_path(reader, entry), entry.plan
    state = None if path is None else state_of(path)
    if path is None or state is None:
        return Outcome(plan.path, "failed", plan.genres_after, plan.genres_after, "the file is not there")
    in_beets = how.in_beets(path)
    is_file = plan.file_before is not None
    try:
        tags = files.read(path)
    except TagError as error:
        return not_written(path, plan.genres_after, error)
    current = tags.genres if is_file else in_beets or ()
    if current != (plan.genres_after if is_file else plan.beets_after) and not how.force:
        return Outcome(path, "left", current, current, "changed by somebody since; --force takes it back all the same")
    back = Plan(
        path,
        plan.audio_id,
        current,
        plan.genres_before,
        tags.raw if is_file else None,
        None if plan.beets_after is None else in_beets,
        plan.beets_before if in_beets is not None else None,
        _SOURCE,
        undoes=entry.number,
    )
    return Prepared(back, Change(raw=plan.file_before) if is_file else None, state)
