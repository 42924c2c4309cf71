"""The library as its one writer sees it: short transactions that are whole or did not happen."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from musrecd.errors import LibraryError
from musrecd.library import backups, compaction, heads, looks
from musrecd.library.analyses import Analyses
from musrecd.library.compaction import Compacted
from musrecd.library.database import chunks, damaged, library_errors
from musrecd.library.encoding import check_audio_id, now
from musrecd.library.files import Files, state
from musrecd.library.jobs import Jobs
from musrecd.library.journal import Journal
from musrecd.library.looks import Sight
from musrecd.library.tag_queue import TagQueue
from musrecd.library.writable import Writable
from musrecd.types import Analysis, Chunks, EncoderInfo, FileState, Job, Priority, Tags

_log = logging.getLogger(__name__)
_NONE: Mapping[bytes, Any] = {}


class Library(Writable):
    """The library opened for writing. Several may be open, in one process or many; they take turns."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, connection)
        self._analyses = Analyses(connection, path)
        self._jobs = Jobs(connection)
        self._files = Files(connection, self._jobs)
        self.journal = Journal(connection, self._transaction, self._rows)
        self.tag_queue = TagQueue(connection, self._transaction, self._rows)

    def register_encoder(self, info: EncoderInfo, hearing: int = 0) -> None:
        """Make an encoder known, so that analyses of its version can be added. Idempotent.

        From then on its analyses of an older `hearing` are pending again; they answer meanwhile.
        """
        with self._transaction():
            self._analyses.register(info, hearing)

    def pending(
        self,
        files: Iterable[FileState],
        encoder_version: str,
        *,
        retry_failed: bool = False,
        force: bool = False,
        give_up_after: int | None = None,
    ) -> Iterator[FileState]:
        """Which of these files are to be analysed with that version, in their order.

        That is: unknown, changed in size or time, or holding a recording without a sound analysis of the
        version and its newest hearing; with `force` those that are done, too. What failed before in the same
        state is left out unless `retry_failed`; what could not be read only if that was so `give_up_after`
        times. Files that were marked missing and are seen unchanged are missing no more.
        """
        for chunk in chunks(files):
            with library_errors(self.path):
                done, returned = self._files.known(chunk, encoder_version)
                failed = self._files.failed(chunk, encoder_version, give_up_after)
            if returned:
                self.mark_seen(returned)
            left_out = (set() if force else done) | (set() if retry_failed else failed)
            yield from (file for file in chunk if state(file) not in left_out)

    def unchanged(self, files: Sequence[FileState]) -> set[bytes]:
        """Which of these paths hold what they held when they were last heard, by whatever version."""
        with library_errors(self.path):
            return self._files.unchanged(files)

    def add(self, file: FileState, analysis: Analysis, tags: Tags) -> bool:
        """Store what was heard in a file; whether both the file and the recording are new to the library.

        The same recording and version again overwrites its row.
        """
        with self._transaction():
            is_new = not self._files.has(file.path) and self._analyses.recording(analysis.audio_id) is None
            recording_id = self._analyses.put(analysis)
            self._files.put(file, recording_id, tags)
        return is_new

    def keep(self, analysis: Analysis) -> None:
        """Store what was heard in a recording of which no file is known yet."""
        with self._transaction():
            self._analyses.put(analysis)

    def keep_new(self, analyses: Sequence[Analysis]) -> int:
        """Store, of analyses by one encoder, those that no sound one is there of; returns how many they were."""
        with self._transaction():
            return self._analyses.put_new(analyses)

    def keep_chunks(self, version: str, found: Mapping[str, Chunks]) -> None:
        """Store how recordings, by `audio_id`, sound piece by piece, where that is not known of an analysis."""
        with self._transaction():
            self._analyses.put_chunks(version, found)

    def attach(self, file: FileState, audio_id: str, tags: Tags) -> None:
        """Let a moved, copied or retagged file point at the recording it holds, which is known already."""
        check_audio_id(audio_id)
        with self._transaction():
            recording_id = self._analyses.recording(audio_id)
            if recording_id is None:
                raise LibraryError(f"no recording {audio_id} in the library; analyse the file first")
            self._files.put(file, recording_id, tags)

    def add_failure(
        self, file: FileState, encoder_version: str, reason: str, message: str, *, retry_at: float | None = None
    ) -> None:
        """Remember that a file could not be analysed; what was known of its path stays.

        If it was waiting in the queue it does so again until `retry_at` (seconds since 1970), if that is said.
        """
        with self._transaction():
            self._files.put_failure(file, encoder_version, reason, message)
            if retry_at is None:
                self._jobs.remove([file.path])
            else:
                self._jobs.postpone(file.path, retry_at)

    def enqueue(
        self, paths: Iterable[bytes], priority: Priority, *, due_at: float = 0.0, patient: bool = False
    ) -> None:
        """Let files wait to be heard, from `due_at` (seconds since 1970) on; see `jobs.py`."""
        paths = list(paths)
        with self._transaction():
            self._jobs.put(paths, priority, due_at, patient=patient)

    def enqueue_pending(
        self, files: Sequence[FileState], priority: Callable[[bytes], Priority], *, patient: bool = False
    ) -> None:
        """Let files wait that are to be heard; those that are what they were when they last were, behind all others.

        `priority` says how urgent the others are, by path.
        """
        again = self.unchanged(files)
        waiting: dict[Priority, list[bytes]] = {}
        for path in (file.path for file in files):
            # It waits for better ears alone.
            waiting.setdefault(Priority.AGAIN if path in again else priority(path), []).append(path)
        for each in sorted(waiting):
            self.enqueue(waiting[each], each, patient=patient)

    def due_jobs(self, now: float, number: int) -> list[Job]:
        """Return the most urgent jobs whose time has come."""
        with library_errors(self.path):
            return self._jobs.due(now, number)

    def defer_jobs(self, paths: Iterable[bytes], due_at: float) -> None:
        """Let files wait until `due_at` (seconds since 1970)."""
        paths = list(paths)
        with self._transaction():
            self._jobs.defer(paths, due_at)

    def remove_jobs(self, paths: Iterable[bytes]) -> None:
        """Let files wait no more."""
        paths = list(paths)
        with self._transaction():
            self._jobs.remove(paths)

    def move(self, source: bytes, destination: bytes) -> bool:
        """Rename a file in the library, over what was at the destination; False if it is unknown."""
        return self.move_all([(source, destination)]) == 1

    def move_all(self, moves: Iterable[tuple[bytes, bytes]], *, is_copied: bool = False) -> int:
        """Rename files one after the other, (from, to) each; returns how many of them were known.

        Where they were copied, what was written into the old file is no news of the new one.
        """
        moves = list(moves)
        with self._transaction():
            for source, destination in [] if is_copied else moves:
                self.journal.move(source, destination)
                self.tag_queue.move(source, destination)
            return sum(self._files.move(source, destination) for source, destination in moves)

    def refresh(
        self,
        files: Iterable[FileState],
        *,
        tags: Mapping[bytes, Tags] = _NONE,
        genres: Mapping[bytes, tuple[str, ...]] = _NONE,
    ) -> None:
        """Take note that files were rewritten by somebody who left their sound alone; unknown ones are ignored.

        `tags`, or the `genres` alone, are what was written into which path.
        """
        files = list(files)  # a slow generator must not hold the write lock
        with self._transaction():
            self._files.refresh(files)
            self._files.retag(tags, genres)

    def mark_missing(self, paths: Iterable[bytes]) -> int:
        """Mark files that are no longer there, and forget their failures; returns how many were marked.

        They answer no question any more but are not forgotten: seen again, they need no new analysis.
        """
        paths = list(paths)
        with self._transaction():
            return self._files.mark_missing(paths)

    def mark_seen(self, paths: Iterable[bytes]) -> int:
        """Unmark files that were missing and are there again; returns how many were."""
        paths = list(paths)
        with self._transaction():
            return self._files.mark_seen(paths)

    def keep_head(self, version: str, content: bytes) -> None:
        """Store what was learnt of a person's genres with an encoder, in place of what was learnt before."""
        with self._transaction():
            heads.put(self._db.conn, version, content)

    def forget_head(self) -> bool:
        """Forget what was learnt, with whatever encoder; False if there was nothing."""
        with self._transaction():
            return heads.forget(self._db.conn) > 0

    def verify(self) -> int:
        """Check the whole library; damaged analyses become pending again. Returns how many there are.

        Reads everything, two gigabytes at a million tracks, and makes the files of rows anew. Damage to the
        database itself raises.
        """
        if self._rows("PRAGMA quick_check(1)") != [("ok",)]:
            raise damaged(self.path)
        with self._transaction():
            return self._analyses.verify()

    def compact(self) -> Compacted:
        """Give back what superseded encoders left. Others wait while much is written anew."""
        with self._transaction():
            n_encoders = compaction.drop_superseded(self._db.conn)
        with self._transaction():
            n_files = compaction.remove_left_over(self._db.conn, self.path)
        with library_errors(self.path):
            return Compacted(n_encoders, n_files, compaction.shrink(self._db.conn))

    def note_done(self, chore: str) -> None:
        """Take note that some upkeep was done now."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [f"done/{chore}", now()])

    def note_look(self, folder: bytes, sight: Sight, n_files: int, n_folders: int) -> None:
        """Take note of a look through a folder that found nothing to do, with all that it depended on."""
        with self._transaction():
            looks.note_look(self._db.conn, folder, sight, n_files, n_folders)

    def backup(self, destination: Path) -> None:
        """Copy the library, in use or not, to another file; the files of rows beside that are made when opened.

        Raises LibraryDamagedError if the copy is not sound, because the library is not.
        """
        backups.backup(self.path, destination)

    def _begin(self) -> None:
        self._analyses.begin()

    def _make_ready(self) -> None:
        with library_errors(self.path):
            if self._analyses.files_are_ready():
                return
        try:
            with self._transaction():
                self._analyses.ready_files()
        except LibraryError as error:  # the files of rows only make asking faster
            _log.warning("the files of rows could not be put right: %s", error)
