"""The library as everything that asks sees it: read-only, at once, with the standard library's sqlite3.

What few ask for is imported when they do: whoever asks what sounds alike waits for every import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from musrecd.errors import LibraryError
from musrecd.library import chunks, features, heads, vectors
from musrecd.library.damage import note_damaged
from musrecd.library.database import bounds, library_errors, shown
from musrecd.library.encoders import ENCODERS, StoredEncoder
from musrecd.library.encoding import encoder_from_row, fold, from_blob, genres_from_text, intact, slot
from musrecd.library.readable import Readable
from musrecd.library.rowfile import FEATURES, VECTORS
from musrecd.library.suggestions import SUGGESTED
from musrecd.types import Chunks, EncoderInfo, Features, FileState, FloatArray, Priority, Tags, Track

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    import numpy.typing as npt

    from musrecd.library.details import Details
    from musrecd.library.items import BeetsItems
    from musrecd.library.journal import JournalReader
    from musrecd.library.looks import Sight
    from musrecd.library.rowfile import Mapped
    from musrecd.library.rows import Records
    from musrecd.library.summary import Failure, Summary

# CROSS keeps the order; by itself SQLite begins, for a hundred paths, with all analyses.
_TRACKS_AT = """
    SELECT a."row", f.path, f.recording_id, r.duration_s, f.artist, f.title, f.album, f.genres, f.year
    FROM files f
    CROSS JOIN analyses a ON a.encoder_id = ? AND a.recording_id = f.recording_id
    CROSS JOIN recordings r ON r.id = f.recording_id
    WHERE f.path IN (?*) AND f.missing_since IS NULL
"""
_TRACKS_IN_ROWS = """
    SELECT a."row", f.path, f.recording_id, r.duration_s, f.artist, f.title, f.album, f.genres, f.year
    FROM analyses a
    CROSS JOIN files f ON f.recording_id = a.recording_id
    CROSS JOIN recordings r ON r.id = a.recording_id
    WHERE a.encoder_id = ? AND a."row" IN (?*) AND f.missing_since IS NULL
    ORDER BY f.path
"""
_FIND = """
    SELECT f.path, f.recording_id, r.duration_s, f.artist, f.title, f.album, f.genres, f.year
    FROM files f JOIN recordings r ON r.id = f.recording_id
    WHERE f.missing_since IS NULL AND (?*)
    ORDER BY f.path
"""
_OUTPUTS = "SELECT id, embedding, probabilities, checksum FROM outputs WHERE id IN (?*)"


class Pulse(NamedTuple):
    """Tempo (beats a minute) and key (like `C#m`) as heard, with confidences (0 to 1); None where there is none."""

    bpm: float | None
    bpm_confidence: float | None
    key: str | None
    key_confidence: float | None


class _Kept(NamedTuple):
    """Rows that were read when the library was in this `state`, and how they are seen."""

    state: int
    mapped: Mapped
    view: Any


class LibraryReader(Readable):
    """The library opened for asking. Others may write meanwhile."""

    def __init__(self, path: Path, connection: sqlite3.Connection, busy_timeout_s: float) -> None:
        super().__init__(path, connection, busy_timeout_s)
        self._kept: dict[tuple[str, str], _Kept] = {}

    @property
    def journal(self) -> JournalReader:
        """What was written into tags."""
        from musrecd.library.journal import JournalReader

        return JournalReader(self._rows)

    def encoder(self) -> EncoderInfo | None:
        """Tell which encoder answers: that with most rows, of equals the newest; None before the first."""
        found = self._rows("SELECT version, dim, labels FROM encoders ORDER BY n_rows DESC, id DESC LIMIT 1")
        return encoder_from_row(*found[0]) if found else None

    def tracks_at(self, paths: Sequence[bytes], version: str) -> dict[bytes, Track]:
        """Tracks at these paths that are analysed with the version and not missing."""
        return {track.path: track for _, track in self._tracks(_TRACKS_AT, paths, version)}

    def tracks_in_rows(self, rows: Sequence[int], version: str) -> dict[int, list[Track]]:
        """All files, missing ones excepted, of the recordings in these rows, by path; [] where none is."""
        found: dict[int, list[Track]] = {int(row): [] for row in rows}
        for row, track in self._tracks(_TRACKS_IN_ROWS, list(found), version):
            found[row].append(track)
        return found

    def rows_of(self, recording_ids: Iterable[int], version: str) -> dict[int, int]:
        """Row of each recording that is analysed with the version."""
        sql = 'SELECT recording_id, "row" FROM analyses WHERE encoder_id = ? AND recording_id IN (?*)'
        return dict(self._in_chunks(sql, map(int, recording_ids), self._id_of(version)))

    def embeddings(self, recording_ids: Sequence[int], version: str) -> FloatArray:
        """Embeddings (n, dim) of recordings in the order asked; a damaged one raises and is named."""
        encoder = self._encoder(version)
        sound = self._outputs(recording_ids, encoder)
        if damaged := [int(number) for number in recording_ids if number not in sound]:
            raise self._damaged(damaged[0])
        return from_blob(b"".join(sound[number][0] for number in recording_ids)).reshape(-1, encoder.info.dim)

    def chunks(self, rows: Iterable[int], version: str) -> dict[int, Chunks]:
        """How the recordings in these rows sound piece by piece; those of which that is not known are left out."""
        encoder = self._encoder(version)
        first = slot(encoder.id, 0)
        found = self._in_chunks(chunks.READ, (first + int(row) for row in rows))
        return {key - first: each for key, each in chunks.from_rows(found, encoder.info.dim).items()}

    def probabilities(self, recording_ids: Sequence[int], version: str) -> dict[int, FloatArray]:
        """Probabilities (n_labels,) of each recording; damaged ones are left out."""
        sound = self._outputs(recording_ids, self._encoder(version))
        return {number: from_blob(probabilities) for number, (_, probabilities) in sound.items()}

    def pulses(self, recording_ids: Iterable[int], version: str) -> dict[int, Pulse]:
        """Tempo and key of each recording that is analysed with the version."""
        sql = """
            SELECT recording_id, bpm, bpm_confidence, "key", key_confidence
            FROM analyses WHERE encoder_id = ? AND recording_id IN (?*)
        """
        found = self._in_chunks(sql, map(int, recording_ids), self._id_of(version))
        return {number: Pulse(*columns) for number, *columns in found}

    def vectors(self, version: str) -> FloatArray:
        """All embeddings (n_rows, dim), read-only, memory-mapped where its file is sound.

        Row numbers never change and rows are only added, so that an array read before stays right.
        """
        found: FloatArray = self._read(VECTORS, version, lambda it, rows: vectors.of_records(rows, it.dim))
        return found

    def features(self, version: str) -> Features:
        """All that is known of all rows besides, read-only, memory-mapped where that file is sound."""
        found: Features = self._read(FEATURES, version, lambda it, rows: features.of_records(rows, it.labels))
        return found

    def head(self, version: str) -> bytes | None:
        """Return what was learnt of a person's genres with the version, if anything was; damage raises."""
        return heads.sound_content(self._rows(heads.READ, [version]))

    def learnt_with(self) -> list[str]:
        """Versions of the encoders with which a person's genres were learnt."""
        return [version for (version,) in self._rows(heads.VERSIONS, [])]

    def analysed_paths(self, version: str) -> set[bytes]:
        """Paths of all files that are analysed with the version and not missing."""
        # CROSS keeps SQLite from starting at the analyses, three times slower at a million.
        sql = """
            SELECT f.path FROM files f
            CROSS JOIN analyses a ON a.encoder_id = ? AND a.recording_id = f.recording_id
            WHERE f.missing_since IS NULL
        """
        return {path for (path,) in self._rows(sql, [self._id_of(version)])}

    def items(self, database: Path, folder: bytes, version: str) -> BeetsItems:
        """Get at the items of a beets library that are in the rows of a version; its paths begin in `folder`."""
        from musrecd.library.items import BeetsItems

        return BeetsItems(self, self._rows, self._id_of(version), version, (database, folder))

    def analysed_rows(self, version: str) -> npt.NDArray[np.int64]:
        """Rows of recordings with at least one file that is not missing, in order."""
        # Mostly all of them: those that are not are found within SQLite, without a Python number for each that is.
        sql = """
            SELECT a."row" FROM analyses a WHERE a.encoder_id = ? AND NOT EXISTS (
                SELECT 1 FROM files f WHERE f.recording_id = a.recording_id AND f.missing_since IS NULL
            )
        """
        encoder = self._encoder(version)
        return np.delete(np.arange(encoder.n_rows), _numbers(self._rows(sql, [encoder.id])))

    def suggested(self, version: str) -> dict[int, int]:
        """How often the recording of each row was suggested; rows that never were are left out."""
        return dict(self._rows(SUGGESTED, [self._id_of(version)]))

    def heard_below(self, folder: bytes, version: str) -> set[FileState]:
        """Files at or below a folder, as they were when they were analysed with the version's newest hearing.

        Missing ones excepted.
        """
        sql = """
            SELECT f.path, f.size, f.mtime_ns FROM encoders e
            CROSS JOIN files f
            CROSS JOIN analyses a ON a.encoder_id = e.id AND a.recording_id = f.recording_id
                AND a.damaged = 0 AND a.hearing >= e.hearing
            WHERE e.version = ? AND (f.path = ? OR (f.path > ? AND f.path < ?)) AND f.missing_since IS NULL
        """
        # Equal to and hashed like `FileState`, which takes longer to make.
        return set(self._rows(sql, [version, *bounds(folder)]))  # type: ignore[arg-type]

    def paths_below(self, folder: bytes) -> set[bytes]:
        """Paths at or below a folder that the library has tracks or failures of; missing ones excepted."""
        sql = """
            SELECT path FROM files WHERE (path = ? OR (path > ? AND path < ?)) AND missing_since IS NULL
            UNION ALL SELECT path FROM failures WHERE path = ? OR (path > ? AND path < ?)
        """
        return {path for (path,) in self._rows(sql, bounds(folder) * 2)}

    def generation(self) -> int:
        """How often something changed that could let a look through a folder find something to do."""
        from musrecd.library.looks import read_generation

        return read_generation(self._rows)

    def noted_look(self, folder: bytes, sight: Sight) -> tuple[int, int] | None:
        """How many files and folders a look of that sight found that found nothing to do; None without one."""
        from musrecd.library.looks import noted_look

        return noted_look(self._rows, folder, sight)

    def recordings_of(self, audio_ids: Iterable[str]) -> list[int]:
        """Ids of those of these recordings that the library knows."""
        sql = "SELECT id FROM recordings WHERE audio_id IN (?*)"
        return [recording_id for (recording_id,) in self._in_chunks(sql, audio_ids)]

    def audio_ids(self, recording_ids: Iterable[int]) -> dict[int, str]:
        """Name recordings by what identifies them everywhere."""
        return dict(self._in_chunks("SELECT id, audio_id FROM recordings WHERE id IN (?*)", recording_ids))

    def details(self, recording_ids: Iterable[int], version: str) -> dict[int, Details]:
        """Everything that is kept of recordings beside their vectors, and when they were heard."""
        from musrecd.library.details import read_details

        return read_details(self._in_chunks, map(int, recording_ids), self._id_of(version))

    def files_of(self, audio_id: str) -> list[bytes]:
        """Paths of all files, missing ones excepted, that hold a recording."""
        sql = """
            SELECT f.path FROM files f JOIN recordings r ON r.id = f.recording_id
            WHERE r.audio_id = ? AND f.missing_since IS NULL ORDER BY f.path
        """
        return [path for (path,) in self._rows(sql, [audio_id])]

    def knows(self, audio_id: str, version: str) -> bool:
        """Whether a recording has a sound analysis of the version's newest hearing: a file need only be attached."""
        sql = """
            SELECT 1 FROM recordings r JOIN encoders e ON e.version = ?
            JOIN analyses a ON a.encoder_id = e.id AND a.recording_id = r.id
            WHERE r.audio_id = ? AND a.damaged = 0 AND a.hearing >= e.hearing
        """
        return bool(self._rows(sql, [version, audio_id]))

    def find(self, words: str) -> list[Track]:
        """Tracks in whose path or tags every word occurs, in any case, sorted by path; none for no words."""
        needles = fold(words).split()
        if not needles:
            return []
        condition = " AND ".join(["instr(f.search, ?) > 0"] * len(needles))
        return [_track(columns) for columns in self._rows(_FIND.replace("(?*)", condition), needles)]

    def summary(self) -> Summary:
        """Count what `status` shows."""
        from musrecd.library.summary import summarise

        return summarise(self._rows)

    def waiting(self) -> dict[Priority, int]:
        """Count the files that wait to be heard, by their priority."""
        found = self._rows("SELECT priority, count(*) FROM jobs GROUP BY priority ORDER BY priority")
        return {Priority(priority): n for priority, n in found}

    def failures(self) -> list[Failure]:
        """All files that could not be analysed, by path."""
        from musrecd.library.summary import list_failures

        return list_failures(self._rows)

    def done_at(self, chore: str) -> datetime | None:
        """When some upkeep was done last; None if it never was."""
        from datetime import datetime

        found = self._rows("SELECT value FROM meta WHERE key = ?", [f"done/{chore}"])
        return datetime.fromisoformat(found[0][0]) if found else None

    def _tracks(self, sql: str, values: Iterable[Any], version: str) -> Iterator[tuple[int, Track]]:
        yield from ((row, _track(columns)) for row, *columns in self._in_chunks(sql, values, self._id_of(version)))

    def _encoder(self, version: str) -> StoredEncoder:
        found = self._rows(f"{ENCODERS} WHERE version = ?", [version])
        if not found:
            raise LibraryError(f"the library {shown(self.path)} has no analyses of encoder version {version!r}")
        return StoredEncoder.from_columns(found[0])

    def _read(self, ending: str, version: str, view: Callable[[EncoderInfo, Records], Any]) -> Any:  # noqa: ANN401
        """Return the `view` of all rows in a file: that of before, if the rows are the same."""
        state, kept = self._rows("PRAGMA data_version")[0][0], self._kept.get((ending, version))
        if kept is None or kept.state != state:
            encoder = self._encoder(version)
            with library_errors(self.path):
                file = encoder.file(ending, self.path, self._connection)
                mapped = file.read(kept.mapped if kept else None)
            is_same = kept is not None and kept.mapped is mapped
            kept = _Kept(state, mapped, kept.view if kept and is_same else view(encoder.info, mapped.records))
            self._kept[ending, version] = kept
        return kept.view

    def _damaged(self, recording_id: int) -> LibraryError:
        files = self._rows("SELECT path FROM files WHERE recording_id = ? ORDER BY path LIMIT 1", [recording_id])
        name = ascii(files[0][0])[1:] if files else f"of recording {recording_id}"
        return LibraryError(f"the analysis of {name} is damaged; `musrecd scan --force` with that file makes it anew")

    def _outputs(self, recording_ids: Sequence[int], encoder: StoredEncoder) -> dict[int, tuple[bytes, bytes]]:
        """Read the BLOBs of recordings; those that are damaged are left out, and soon heard again."""
        numbers = [int(number) for number in recording_ids]
        rows = self.rows_of(numbers, encoder.info.version)
        if unheard := [number for number in numbers if number not in rows]:
            raise LibraryError(f"recording {unheard[0]} has no analysis of version {encoder.info.version!r}")
        slots = {number: slot(encoder.id, row) for number, row in rows.items()}
        stored = {key: columns for key, *columns in self._in_chunks(_OUTPUTS, slots.values())}
        sound = {number: stored[key] for number, key in slots.items() if intact(stored.get(key), encoder.info.dim)}
        if damaged := rows.keys() - sound.keys():
            note_damaged(self.path, encoder.id, damaged)
        return {number: (columns[0], columns[1]) for number, columns in sound.items()}


def _track(columns: Sequence[Any]) -> Track:
    path, recording_id, duration_s, artist, title, album, genres, year = columns
    return Track(path, recording_id, duration_s, Tags(artist, title, album, genres_from_text(genres), year))


def _numbers(rows: Sequence[tuple[int]]) -> npt.NDArray[np.int64]:
    return np.fromiter((number for (number,) in rows), np.int64, len(rows))
