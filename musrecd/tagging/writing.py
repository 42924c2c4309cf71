"""Writes genres into files, journalled: noted before a file is touched, and known to the library afterwards.

Whoever writes holds a lock beside the library, so that what is noted as begun and not done was interrupted.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from musrecd.errors import LibraryError, TagError
from musrecd.library.database import chunks, library_errors, resolved
from musrecd.library.journal import Entry, Plan
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.elsewhere import NOWHERE, Elsewhere
from musrecd.tagging.files import Change, FileTags, Rules
from musrecd.tagging.heard import Heard
from musrecd.tagging.outcome import Outcome
from musrecd.tagging.policy import Among, Decision, Policy
from musrecd.tagging.wishes import Wish, decide_for
from musrecd.types import FileState

# Each batch costs two commits, and as many files may have to be looked at after a kill.
_AT_ONCE = 25
_LOCK_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A write that is decided; `change` is None where only beets' database is to change, `file` how the file is."""

    plan: Plan
    change: Change | None
    file: FileState | None


@contextmanager
def only_writer(library: Path, *, wait_s: float = _LOCK_WAIT_S) -> Iterator[None]:
    """Hold the lock of whoever writes tags. Raises LibraryError if another one has it for longer than `wait_s`."""
    path = resolved(library)
    lock = FileLock(path.with_name(path.name + ".tags"), timeout=wait_s)
    with library_errors(path):
        try:
            lock.acquire()
        except Timeout as error:
            raise LibraryError("another musrec is writing tags now; try again when it has finished") from error
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class How:
    """By which rules is written, and who else keeps genres; without `into_files` only those are told.

    `author` is who writes, `run` that of writes that these belong to, if they do not make a run of their own.
    """

    policy: Policy
    rules: Rules
    among: Among
    author: str
    elsewhere: Elsewhere = NOWHERE
    into_files: bool = True
    run: int | None = None


def write_all(library: Library, wishes: Iterable[Wish], how: How) -> Iterator[Outcome]:
    """Write what the policy decides, batch after batch; one outcome for each wish, in their order.

    To be used by the `only_writer`. Interrupted in the middle, it notes what was written. Raises LibraryError.
    """
    run = how.run or library.journal.next_run(how.author)
    for batch in chunks(wishes, _AT_ONCE):
        found = [_prepare(wish, how) for wish in batch]
        prepared = [each for each in found if isinstance(each, Prepared)]
        performed = iter(perform(library, run, prepared, how.rules, how.elsewhere))
        yield from (each if isinstance(each, Outcome) else next(performed) for each in found)


def perform(
    library: Library, run: int, prepared: Sequence[Prepared], rules: Rules, elsewhere: Elsewhere
) -> list[Outcome]:
    """Write one batch and note it. What is interrupted stays noted as begun, see `finish_interrupted`."""
    if not prepared:
        return []
    numbers = library.journal.begin(run, [each.plan for each in prepared])
    outcomes: dict[int, Outcome] = {}
    try:
        for number, each in zip(numbers, prepared, strict=True):
            outcome = _write(each, rules)
            if outcome.result == "written" and each.plan.beets_after is not None:
                tell(elsewhere, each.plan, each.file if each.change else None)
            outcomes[number] = outcome
    finally:
        written = [(number, each.file) for number, each in outcomes.items() if each.result == "written"]
        library.journal.finish(written, [number for number, each in outcomes.items() if each.result != "written"])
        # Our own writes leave the sound alone: nobody has to hear these files again.
        genres = {each.path: each.after for each in outcomes.values() if each.file is not None}
        library.refresh((file for _, file in written if file is not None), genres=genres)
    return list(outcomes.values())


def finish_interrupted(library: Library, elsewhere: Elsewhere | None = None) -> list[Entry]:
    """See what became of writes that a kill interrupted; returns those that were made after all.

    Those of files that beets manages wait for who can tell it, `elsewhere`. To be used by the `only_writer`.
    """
    begun = [each for each in library.journal.begun() if elsewhere is not None or each.plan.beets_after is None]
    # Beside the files themselves, wherever their names lead.
    files.sweep({os.path.realpath(each.plan.path) for each in begun if each.plan.file_before is not None})
    made = [each for each in begun if _was_made(each.plan, elsewhere)]
    for each in made:
        plan = each.plan
        if elsewhere is not None and plan.beets_after is not None and elsewhere.genres(plan.path) == plan.beets_before:
            tell(elsewhere, plan, None)
    states = [(each.number, state_of(each.plan.path) if each.plan.file_before is not None else None) for each in made]
    dropped = {each.number for each in begun} - {each.number for each in made}
    library.journal.finish(states, dropped)
    genres = {each.plan.path: each.plan.genres_after for each in made if each.plan.file_before is not None}
    library.refresh((state for _, state in states if state is not None), genres=genres)
    return made


def state_of(path: bytes) -> FileState | None:
    """Return a file as it lies there, None if it does not."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return FileState(path, status.st_size, status.st_mtime_ns)


def not_written(path: bytes, before: tuple[str, ...], error: TagError) -> Outcome:
    """Say why a file was not written, and whether that may pass."""
    return Outcome(path, "failed" if error.may_pass else "refused", before, before, str(error))


def _prepare(wish: Wish, how: How) -> Prepared | Outcome:
    # Before it is read: whoever writes it in between is noticed by the times.
    state = state_of(wish.path)
    if not how.into_files:
        decision = decide_for(wish, None, how.policy, how.among)
        current = wish.in_beets or ()
        if not decision.is_change:
            return Outcome(wish.path, "left", current, current, decision.why)
        return Prepared(plan_of(wish, None, decision), None, None)
    try:
        tags = files.read(wish.path)
    except TagError as error:
        return not_written(wish.path, (), error)
    decision = decide_for(wish, tags, how.policy, how.among)
    if state is None or not decision.is_change:
        return Outcome(wish.path, "left", tags.genres, tags.genres, decision.why)
    tempo, key = decision.heard.bpm, decision.heard.key
    change = Change(
        genres=decision.genres,
        moods=decision.moods or None,
        tempo=None if tempo is None else (str(tempo),),
        key=None if key is None else (key,),
    )
    return Prepared(plan_of(wish, tags, decision), change, state)


def plan_of(wish: Wish, tags: FileTags | None, decision: Decision) -> Plan:
    """Write down what was decided for a file that has these tags; None if only beets' database is to change."""
    before = (wish.in_beets or ()) if tags is None else tags.genres
    return Plan(
        wish.path,
        wish.audio_id,
        before,
        before if decision.genres is None else decision.genres,
        None if tags is None else tags.raw,
        wish.in_beets,
        None if wish.in_beets is None else decision.genres or wish.in_beets,
        wish.source,
        decision.probability,
        moods=() if tags is None else decision.moods,
        bpm=decision.heard.bpm,
        key=decision.heard.key,
    )


def tell(elsewhere: Elsewhere, plan: Plan, was: FileState | None) -> None:
    """Let whoever else keeps genres know of a write; `was` is how the file lay there before, None if we wrote none."""
    heard = Heard(plan.bpm, plan.key)
    if plan.beets_after is not None and plan.undoes is None:
        elsewhere.put(plan.path, plan.beets_after, was, heard=heard)
    elif plan.beets_after is not None:
        elsewhere.put(plan.path, plan.beets_after, was, no_longer=heard)


def _write(prepared: Prepared, rules: Rules) -> Outcome:
    plan, state = prepared.plan, prepared.file
    if prepared.change is None:
        return Outcome(plan.path, "written", plan.genres_before, plan.genres_after)
    try:
        exact = replace(rules, expected=state, audio_id=plan.audio_id)
        written = files.write(plan.path, prepared.change, exact)
    except TagError as error:
        return not_written(plan.path, plan.genres_before, error)
    return Outcome(plan.path, "written", plan.genres_before, written.after.genres, file=written.state)


def _was_made(plan: Plan, elsewhere: Elsewhere | None) -> bool:
    if plan.file_before is None:
        return elsewhere is not None and elsewhere.genres(plan.path) == plan.beets_after
    try:
        tags = files.read(plan.path)
    except TagError:
        return False
    return tags.genres == plan.genres_after and tags.raw != plan.file_before
