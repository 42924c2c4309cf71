"""Writes genres into files, journalled: noted before a file is touched, and known to the library afterwards.

Whoever writes holds a lock beside the library, so that what is noted as begun and not done was interrupted.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock, Timeout

from musrecd.errors import LibraryError, TagError
from musrecd.library.database import chunks, library_errors, resolved
from musrecd.library.journal import Entry, Plan
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.files import Change, FileTags, Rules
from musrecd.tagging.outcome import Outcome
from musrecd.tagging.policy import Among, Decision, Policy
from musrecd.tagging.wishes import Wish, decide_for
from musrecd.types import FileState

# Each batch costs two commits, and as many files may have to be looked at after a kill.
_AT_ONCE = 25
_LOCK_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A write that is decided; `change` is None where only beets' database is to change, `file` how the file is."""

    plan: Plan
    change: Change | None
    file: FileState


# Called with each file that was written, before that is noted as done: who keeps genres elsewhere puts them there.
Apply: TypeAlias = Callable[[Plan, Outcome], None]


def _nothing_else(_plan: Plan, _outcome: Outcome) -> None:
    pass


@contextmanager
def only_writer(library: Path) -> Iterator[None]:
    """Hold the lock of whoever writes tags. Raises LibraryError if another one has it for long."""
    path = resolved(library)
    lock = FileLock(path.with_name(path.name + ".tags"), timeout=_LOCK_WAIT_S)
    with library_errors(path):
        try:
            lock.acquire()
        except Timeout as error:
            raise LibraryError("another musrec is writing tags now; try again when it has finished") from error
    try:
        yield
    finally:
        lock.release()


def write_all(
    library: Library,
    wishes: Iterable[Wish],
    policy: Policy,
    rules: Rules,
    among: Among,
    *,
    apply: Apply = _nothing_else,
    into_files: bool = True,
    run: int | None = None,
) -> Iterator[Outcome]:
    """Write what the policy decides, batch after batch; one outcome for each wish, in their order.

    To be used by the `only_writer`. Interrupted in the middle, it notes what was written. Without `into_files` only
    `apply` is called. `run` is that of writes that these belong to, a new one if not said. Raises LibraryError.
    """
    run = run or library.journal.next_run()
    for batch in chunks(wishes, _AT_ONCE):
        found = [_prepare(wish, policy, among, into_files=into_files) for wish in batch]
        prepared = [each for each in found if isinstance(each, Prepared)]
        performed = iter(perform(library, run, prepared, rules, apply))
        yield from (each if isinstance(each, Outcome) else next(performed) for each in found)


def perform(
    library: Library, run: int, prepared: Sequence[Prepared], rules: Rules, apply: Apply = _nothing_else
) -> list[Outcome]:
    """Write one batch and note it. What is interrupted stays noted as begun, see `finish_interrupted`."""
    if not prepared:
        return []
    numbers = library.journal.begin(run, [each.plan for each in prepared])
    outcomes: dict[int, Outcome] = {}
    try:
        for number, each in zip(numbers, prepared, strict=True):
            outcome = _write(each, rules)
            if outcome.result == "written":
                apply(each.plan, outcome)
            outcomes[number] = outcome
    finally:
        written = [(number, each.file) for number, each in outcomes.items() if each.result == "written"]
        library.journal.finish(written, [number for number, each in outcomes.items() if each.result != "written"])
        # Our own writes leave the sound alone: nobody has to hear these files again.
        library.refresh(file for _, file in written if file is not None)
    return list(outcomes.values())


def finish_interrupted(
    library: Library, in_beets: Callable[[bytes], tuple[str, ...] | None] | None = None
) -> list[Entry]:
    """See what became of writes that a kill interrupted; returns those that were made after all.

    Those of files that beets manages wait for who can tell it: `in_beets` looks up the genres it has. To be used by
    the `only_writer`.
    """
    begun = [each for each in library.journal.begun() if in_beets is not None or each.plan.beets_after is None]
    files.sweep({os.path.dirname(each.plan.path) for each in begun if each.plan.file_before is not None})
    made = [each for each in begun if _was_made(each.plan, in_beets)]
    states = [(each.number, state_of(each.plan.path)) for each in made]
    dropped = {each.number for each in begun} - {each.number for each in made}
    library.journal.finish(states, dropped)
    library.refresh(state for _, state in states if state is not None)
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


def _prepare(wish: Wish, policy: Policy, among: Among, *, into_files: bool) -> Prepared | Outcome:
    # Before it is read: whoever writes it in between is noticed by the times.
    state = state_of(wish.path)
    try:
        tags = files.read(wish.path)
    except TagError as error:
        return not_written(wish.path, (), error)
    decision = decide_for(wish, tags.genres, policy, among)
    # Moods are written into files alone, never over others, and not where somebody changed our genres.
    moods = wish.moods if into_files and not tags.moods and wish.ours in (None, tags.genres) else ()
    if state is None or (decision.genres is None and not moods):
        return Outcome(wish.path, "left", tags.genres, tags.genres, decision.why)
    plan = plan_of(wish, tags, decision, into_files=into_files)
    change = Change(genres=decision.genres, moods=moods or None) if into_files else None
    return Prepared(plan, change, state)


def plan_of(wish: Wish, tags: FileTags, decision: Decision, *, into_files: bool) -> Plan:
    """Write down what was decided for a file that has these tags."""
    genres = tags.genres if decision.genres is None else decision.genres
    return Plan(
        wish.path,
        wish.audio_id,
        tags.genres,
        genres,
        tags.raw if into_files else None,
        wish.in_beets,
        None if wish.in_beets is None else decision.genres or wish.in_beets,
        wish.source,
        decision.probability,
    )


def _write(prepared: Prepared, rules: Rules) -> Outcome:
    plan, state = prepared.plan, prepared.file
    if prepared.change is None:
        return Outcome(plan.path, "written", plan.genres_before, plan.genres_after, file=state)
    try:
        exact = replace(rules, expected=state, audio_id=plan.audio_id)
        written = files.write(plan.path, prepared.change, exact)
    except TagError as error:
        return not_written(plan.path, plan.genres_before, error)
    return Outcome(plan.path, "written", plan.genres_before, written.after.genres, file=written.state)


def _was_made(plan: Plan, in_beets: Callable[[bytes], tuple[str, ...] | None] | None) -> bool:
    if plan.file_before is None:
        return in_beets is not None and in_beets(plan.path) == plan.beets_after
    try:
        tags = files.read(plan.path)
    except TagError:
        return False
    return tags.genres == plan.genres_after and tags.raw != plan.file_before
