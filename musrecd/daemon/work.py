"""What is heard next, and what becomes of it: the queue on one side, the workers on the other."""

import logging
import os
import time
from collections.abc import Callable, Sequence

from musrecd.daemon.hearing import Heard, Hearing
from musrecd.daemon.looking import TRIES_OF_UNREADABLE
from musrecd.daemon.settling import Look, Settling, look
from musrecd.errors import (
    AudioError,
    LibraryDamagedError,
    LibraryError,
    LibraryUnavailableError,
    UnreadableFileError,
    WorkerError,
)
from musrecd.ingest.discover import is_music
from musrecd.ingest.work import Outcome, Task
from musrecd.library.store import Library
from musrecd.types import Analysis, FileState, Job, Priority

_log = logging.getLogger(__name__)

# Reasons that may pass, and how many tries they are worth; whatever else failed waits until the file changes.
_TRIES = {UnreadableFileError.reason: TRIES_OF_UNREADABLE, WorkerError.reason: 2}
_FIRST_WAIT_S = 60.0
_LONGER = 5.0
_UNTIL_MOUNTED_S = 3600.0
# As many jobs are looked into before somebody else has a turn.
_AT_ONCE = 50


class Work:
    """Takes jobs from the library's queue, has them heard and stores what was heard.

    What could not be stored, because the library is locked or its disk full, is kept and nothing new is begun. With
    `tags_new` files that are new wait for genres when they were heard.
    """

    def __init__(
        self,
        library: Library,
        version: str,
        hearing: Hearing,
        settling: Settling,
        may_be_unmounted: Callable[[bytes], bool],
        *,
        tags_new: bool = False,
        clock: Callable[[], float] = time.time,
        look: Look = look,
    ) -> None:
        self._library, self._version, self._hearing = library, version, hearing
        self._settling, self._may_be_unmounted = settling, may_be_unmounted
        self._clock, self._look = clock, look
        self._jobs: dict[bytes, Job] = {}
        self._tags_new = tags_new
        self._unstored: list[Outcome] = []
        self.n_done = 0

    def feed(self) -> bool:
        """Give the workers what is most urgent, as much as they can take; whether there is more to do at once.

        Raises LibraryError.
        """
        if self._unstored or self._hearing.room <= 0:
            return False
        under_way = self._hearing.paths
        due = self._library.due_jobs(self._clock(), _AT_ONCE + len(under_way))
        jobs = [job for job in due if job.path not in under_way][:_AT_ONCE]
        self._begin(self._sort_out(jobs))
        self.store()
        return len(jobs) == _AT_ONCE and self._hearing.room > 0

    def finish(self, heard: Heard) -> None:
        """Take what a worker heard, to be stored. Raises LibraryDamagedError."""
        if (outcome := self._hearing.outcome(heard)) is not None:
            self._unstored.append(outcome)

    def store(self) -> None:
        """Store what waits for that. Raises LibraryError; what was not stored then stays."""
        while self._unstored:
            outcome = self._unstored[0]
            try:
                self._store(outcome)
            except (LibraryUnavailableError, LibraryDamagedError):
                raise
            except LibraryError as error:
                # The library takes everything but this: one file must not stand in the way of all others.
                self._fail(Outcome(outcome.file, reason=AudioError.reason, message=str(error)))
            del self._unstored[0]
            self._jobs.pop(outcome.file.path, None)
            self.n_done += 1
            self._look_after(outcome.file)

    def _sort_out(self, jobs: Sequence[Job]) -> list[tuple[Job, FileState]]:
        """Return the jobs that are to be heard, with their files; the others need no more waiting."""
        states = {job.path: self._look(job.path) for job in jobs}
        there = [(job, state) for job in jobs if (state := states[job.path]) is not None]
        calm = [(job, state) for job, state in there if self._is_calm(job, state)]
        candidates = [(job, state) for job, state in calm if job.priority == Priority.ASKED or is_music(job.path)]
        wanted = self._wanted(candidates)
        self._drop_vanished([path for path, state in states.items() if state is None])
        chosen = [(job, state) for job, state in candidates if state in wanted]
        if unwanted := {job.path for job, _ in calm} - {job.path for job, _ in chosen}:
            self._library.remove_jobs(unwanted)
        self._let_settle({job.path for job, _ in there} - {job.path for job, _ in calm})
        return chosen

    def _let_settle(self, paths: set[bytes]) -> None:
        if paths:
            # They stay in the queue, which alone knows whether they are new; settled, their time has come.
            self._library.defer_jobs(paths, self._clock() + self._settling.calm_s)
            self._settling.note((path for path in paths if path not in self._settling), time.monotonic())

    def _is_calm(self, job: Job, state: FileState) -> bool:
        """Whether nobody seems to be writing to a file; what a person wants is taken as it is."""
        if job.priority == Priority.ASKED:
            return True
        age_s = self._clock() - state.mtime_ns / 1e9
        return job.path not in self._settling and not 0 <= age_s < self._settling.calm_s

    def _wanted(self, candidates: Sequence[tuple[Job, FileState]]) -> set[FileState]:
        wanted: set[FileState] = set()
        for again in (False, True):
            files = [
                state for job, state in candidates if (job.priority == Priority.ASKED or job.attempts > 0) is again
            ]
            wanted.update(self._library.pending(files, self._version, retry_failed=again))
        return wanted

    def _begin(self, chosen: Sequence[tuple[Job, FileState]]) -> None:
        for job, state in chosen:
            if self._hearing.room <= 0:
                return
            self._jobs[job.path] = job
            if not os.access(job.path, os.R_OK):
                # No need to wake anybody for that.
                reason = UnreadableFileError.reason
                self._unstored.append(Outcome(state, reason=reason, message="cannot be read: no permission"))
            elif not self._hearing.hear(Task(state)):
                return

    def _is_to_be_tagged(self, path: bytes) -> bool:
        """Whether the file of a new recording gets genres: it is new itself, its owner did not leave it without."""
        job = self._jobs.get(path)
        return self._tags_new and job is not None and job.priority == Priority.NEW

    def _drop_vanished(self, paths: Sequence[bytes]) -> None:
        # Where a whole folder is gone a look through it will tell.
        unmounted = {path for path in paths if self._may_be_unmounted(path)}
        missing = [path for path in paths if path not in unmounted and os.path.isdir(os.path.dirname(path))]
        if missing:
            self._library.mark_missing(missing)
        if unmounted:
            # They keep their place: when their disk is back they have not come since.
            self._library.defer_jobs(unmounted, self._clock() + _UNTIL_MOUNTED_S)
        if unclear := set(paths).difference(missing, unmounted):
            self._library.remove_jobs(unclear)

    def _store(self, outcome: Outcome) -> None:
        path = outcome.file.path
        if outcome.heard is None:
            self._fail(outcome)
        elif isinstance(outcome.heard, Analysis):
            with self._library.at_once():
                is_new = self._library.add(outcome.file, outcome.heard, outcome.tags)
                if is_new and self._is_to_be_tagged(path):
                    self._library.tag_queue.put([path], self._clock())
            _log.info("heard", extra={"path": path})
        else:
            self._library.attach(outcome.file, outcome.heard.audio_id, outcome.tags)
            _log.info("recognised", extra={"path": path})

    def _fail(self, outcome: Outcome) -> None:
        job = self._jobs.get(outcome.file.path)
        tries = (job.attempts if job else 0) + 1
        again = tries < _TRIES.get(outcome.reason, 0)
        retry_at = self._clock() + _FIRST_WAIT_S * _LONGER ** (tries - 1) if again else None
        self._library.add_failure(outcome.file, self._version, outcome.reason, outcome.message, retry_at=retry_at)
        _log.warning("failed", extra={"path": outcome.file.path, "reason": outcome.message, "again": again})

    def _look_after(self, file: FileState) -> None:
        """See whether a file changed or vanished while it was heard."""
        state = self._look(file.path)
        if state is None:
            # It stays heard, and its new name will point at that.
            self._drop_vanished([file.path])
        elif state != file:
            self._settling.note([file.path], time.monotonic())
