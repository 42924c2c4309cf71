"""Analyses and their rows as the writer keeps them: the database and the files of rows always agree.

Everything here runs within a transaction of `store.Library`.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from musrecd.errors import LibraryError
from musrecd.library import chunks
from musrecd.library.damage import mark_damaged
from musrecd.library.database import chunks as split
from musrecd.library.database import in_list
from musrecd.library.encoders import ENCODERS, StoredEncoder
from musrecd.library.encoding import (
    check_audio_id,
    check_numbers,
    checksum,
    clamp,
    clean_text,
    labels_to_json,
    now,
    slot,
    to_blob,
    unit_blob,
)
from musrecd.library.rowfile import VECTORS, RowFile, make_ready, rebuild
from musrecd.types import Analysis, Chunks, EncoderInfo

_UPSERT_RECORDING = """
    INSERT INTO recordings (audio_id, duration_s, n_damaged_packets, added_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (audio_id) DO UPDATE
    SET duration_s = excluded.duration_s, n_damaged_packets = excluded.n_damaged_packets
"""
_UPSERT_ANALYSIS = """
    INSERT INTO analyses
        (encoder_id, recording_id, "row", bpm, bpm_confidence, "key", key_confidence, hearing, analysed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (encoder_id, recording_id) DO UPDATE
    SET bpm = excluded.bpm, bpm_confidence = excluded.bpm_confidence, "key" = excluded."key",
        key_confidence = excluded.key_confidence, hearing = excluded.hearing, analysed_at = excluded.analysed_at,
        damaged = 0
"""
_REGISTER = """
    INSERT INTO encoders (version, dim, labels, registered_at, hearing) VALUES (?, ?, ?, ?, ?)
    -- The one that somebody began to use last is in use.
    ON CONFLICT (version) DO UPDATE SET registered_at = excluded.registered_at, hearing = excluded.hearing
"""
# A cross join is one that SQLite does not turn round: it would go through all analyses of the encoder.
_SOUND = """
    SELECT r.audio_id FROM recordings r CROSS JOIN analyses a ON a.recording_id = r.id
    WHERE a.encoder_id = ? AND a.damaged = 0 AND a.hearing >= (SELECT hearing FROM encoders WHERE id = ?)
        AND r.audio_id IN (?*)
"""


class Analyses:
    """The tables `encoders`, `recordings`, `analyses` and `outputs`, and the files that repeat them."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._is_committed = True

    def begin(self) -> None:
        """Take note that a transaction begins: whatever is in the database is committed."""
        self._is_committed = True

    def register(self, info: EncoderInfo, hearing: int) -> None:
        """Insert an encoder, or refuse one that differs from what its version stood for."""
        if clean_text(info.version) != info.version:
            raise LibraryError(f"{info.version[:60]!a} cannot be the version of an encoder")
        values = [info.version, info.dim, labels_to_json(info.labels), now(), hearing]
        self._connection.execute(_REGISTER, values)
        encoder = self._encoder(info.version)
        if encoder.info != info:
            raise LibraryError(
                f"encoder version {info.version!r} is in the library with another size or other labels; "
                "give the new encoder a version of its own"
            )
        self._make_ready([encoder])

    def recording(self, audio_id: str) -> int | None:
        """Id of a recording, None if it is unknown."""
        found = self._connection.execute("SELECT id FROM recordings WHERE audio_id = ?", [audio_id]).fetchone()
        return None if found is None else int(found[0])

    def put(self, analysis: Analysis) -> int:
        """Store an analysis in the row its recording has, or a new one; returns the recording's id."""
        self._make_ready(self._encoders())
        self._is_committed = False
        recording_id = self._put_recording(analysis)
        self._put_outputs(analysis, recording_id)
        return recording_id

    def put_new(self, analyses: Sequence[Analysis]) -> int:
        """Store those of which no sound one is there, all of one encoder; returns how many they were.

        Of a recording that is known its length stays as it is.
        """
        if not analyses:
            return 0
        given = {analysis.audio_id: analysis for analysis in analyses}
        sound = self._sound(self._encoder(analyses[0].encoder_version), list(given))
        new = [analysis for audio_id, analysis in given.items() if audio_id not in sound]
        self._make_ready(self._encoders())
        self._is_committed = False
        for analysis in new:
            known = self.recording(analysis.audio_id)
            self._put_outputs(analysis, self._put_recording(analysis) if known is None else known)
        return len(new)

    def put_chunks(self, version: str, found: Mapping[str, Chunks]) -> None:
        """Store the chunks of those of these recordings that have an analysis of the version and none yet."""
        encoder = self._encoder(version)
        for audio_id, each in found.items():
            known = self.recording(audio_id)
            row = None if known is None else self._row_of(encoder, known)
            if row is not None:
                chunks.put_new(self._connection, slot(encoder.id, row), each, encoder.info.dim)

    def verify(self) -> int:
        """Mark analyses whose BLOBs are damaged, let their files wait and make the files of rows anew.

        Returns how many were damaged.
        """
        n_damaged = 0
        for encoder in self._encoders():
            damaged = list(encoder.file(VECTORS, self._path, self._connection).rows.damaged())
            mark_damaged(self._connection, encoder.id, self._recordings_in(encoder, damaged))
            rebuild(self._files(encoder), is_committed=self._is_committed)
            n_damaged += len(damaged)
        return n_damaged

    def files_are_ready(self) -> bool:
        """Whether every file of rows is as the database has it, as far as a quick look shows."""
        return all(file.is_ready() for encoder in self._encoders() for file in self._files(encoder))

    def ready_files(self) -> None:
        """Put right the files of rows that are not."""
        for encoder in self._encoders():
            make_ready(self._files(encoder))

    def _files(self, encoder: StoredEncoder) -> list[RowFile]:
        return encoder.files(self._path, self._connection)

    def _recordings_in(self, encoder: StoredEncoder, rows: Sequence[int]) -> list[int]:
        sql = 'SELECT recording_id FROM analyses WHERE encoder_id = ? AND "row" = ?'
        found = (self._connection.execute(sql, [encoder.id, row]).fetchone() for row in rows)
        return [columns[0] for columns in found if columns is not None]

    def _encoders(self) -> list[StoredEncoder]:
        return [StoredEncoder.from_columns(columns) for columns in self._connection.execute(ENCODERS)]

    def _encoder(self, version: str) -> StoredEncoder:
        found = self._connection.execute(f"{ENCODERS} WHERE version = ?", [version]).fetchone()
        if found is None:
            raise LibraryError(f"encoder version {version!r} is not registered in the library")
        return StoredEncoder.from_columns(found)

    def _make_ready(self, encoders: Iterable[StoredEncoder]) -> None:
        for encoder in encoders:
            make_ready(self._files(encoder), thorough=False, is_committed=self._is_committed)

    def _sound(self, encoder: StoredEncoder, audio_ids: Sequence[str]) -> set[str]:
        """Tell which of those recordings have an analysis that is sound, and that listened for all that is wanted."""
        parameters = [encoder.id, encoder.id]
        found = (self._connection.execute(in_list(_SOUND, chunk), [*parameters, *chunk]) for chunk in split(audio_ids))
        return {audio_id for rows in found for (audio_id,) in rows}

    def _put_recording(self, analysis: Analysis) -> int:
        self._connection.execute(
            _UPSERT_RECORDING,
            [analysis.audio_id, float(analysis.duration_s), clamp(analysis.n_damaged_packets), now()],
        )
        [recording_id] = self._connection.execute("SELECT id FROM recordings WHERE audio_id = ?", [analysis.audio_id])
        return int(recording_id[0])

    def _row_for(self, encoder: StoredEncoder, recording_id: int) -> int:
        row = self._row_of(encoder, recording_id)
        if row is None:
            self._connection.execute("UPDATE encoders SET n_rows = n_rows + 1 WHERE id = ?", [encoder.id])
            return encoder.n_rows
        return row

    def _row_of(self, encoder: StoredEncoder, recording_id: int) -> int | None:
        sql = 'SELECT "row" FROM analyses WHERE encoder_id = ? AND recording_id = ?'
        found = self._connection.execute(sql, [encoder.id, recording_id]).fetchone()
        return None if found is None else int(found[0])

    def _repeat(self, recording_id: int) -> None:
        """Write the rows of a recording into the files, before COMMIT; of all encoders, which share its length."""
        for encoder in self._encoders():
            row = self._row_of(encoder, recording_id)
            if row is not None:
                for file in self._files(encoder):
                    file.put(row)

    def _put_outputs(self, analysis: Analysis, recording_id: int) -> None:
        encoder = self._encoder(analysis.encoder_version)
        check_audio_id(analysis.audio_id)
        check_numbers(analysis)
        embedding = unit_blob(analysis.embedding, encoder.info.dim)
        probabilities = to_blob(analysis.probabilities, len(encoder.info.labels), "the probabilities")
        row = self._row_for(encoder, recording_id)
        self._connection.execute(
            "INSERT OR REPLACE INTO outputs (id, embedding, probabilities, checksum) VALUES (?, ?, ?, ?)",
            [slot(encoder.id, row), embedding, probabilities, checksum(embedding, probabilities)],
        )
        # What is there stays where none are given: of the same sound and encoder they are the same.
        if analysis.chunks is not None:
            chunks.put(self._connection, slot(encoder.id, row), analysis.chunks, encoder.info.dim)
        self._connection.execute(_UPSERT_ANALYSIS, _columns(encoder, recording_id, row, analysis))
        self._repeat(recording_id)


def _columns(encoder: StoredEncoder, recording_id: int, row: int, analysis: Analysis) -> list[Any]:
    return [
        encoder.id,
        recording_id,
        row,
        _float(analysis.bpm),
        _float(analysis.bpm_confidence),
        None if analysis.key is None else clean_text(analysis.key),
        _float(analysis.key_confidence),
        clamp(analysis.hearing),
        now(),
    ]


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)
