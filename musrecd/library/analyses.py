"""Analyses and their rows as the writer keeps them: database and vector files always agree.

Everything here runs within a transaction of `store.Library`.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from musrecd.errors import LibraryError
from musrecd.library.damage import mark_damaged
from musrecd.library.database import chunks, in_list
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
from musrecd.library.vectors import StoredEncoder
from musrecd.types import Analysis, EncoderInfo

_UPSERT_RECORDING = """
    INSERT INTO recordings (audio_id, duration_s, n_damaged_packets, added_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (audio_id) DO UPDATE
    SET duration_s = excluded.duration_s, n_damaged_packets = excluded.n_damaged_packets
"""
_UPSERT_ANALYSIS = """
    INSERT INTO analyses
        (encoder_id, recording_id, "row", bpm, bpm_confidence, "key", key_confidence, analysed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (encoder_id, recording_id) DO UPDATE
    SET bpm = excluded.bpm, bpm_confidence = excluded.bpm_confidence, "key" = excluded."key",
        key_confidence = excluded.key_confidence, analysed_at = excluded.analysed_at, damaged = 0
"""
_UPSERT_OUTPUT = "INSERT OR REPLACE INTO outputs (id, embedding, probabilities, checksum) VALUES (?, ?, ?, ?)"
# A cross join is one that SQLite does not turn round: it would go through all analyses of the encoder.
_DAMAGED = """
    SELECT r.audio_id, a.damaged FROM recordings r CROSS JOIN analyses a ON a.recording_id = r.id
    WHERE a.encoder_id = ? AND r.audio_id IN (?*)
"""


class Analyses:
    """The tables `encoders`, `recordings`, `analyses` and `outputs`, and the vector files."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def register(self, info: EncoderInfo) -> None:
        """Insert an encoder, or refuse one that differs from what its version stood for."""
        if clean_text(info.version) != info.version:
            raise LibraryError(f"{info.version[:60]!a} cannot be the version of an encoder")
        self._connection.execute(
            "INSERT INTO encoders (version, dim, labels, registered_at) VALUES (?, ?, ?, ?) "
            # The one that somebody began to use last is in use.
            "ON CONFLICT (version) DO UPDATE SET registered_at = excluded.registered_at",
            [info.version, info.dim, labels_to_json(info.labels), now()],
        )
        encoder = self._encoder(info.version)
        if encoder.info != info:
            raise LibraryError(
                f"encoder version {info.version!r} is in the library with another size or other labels; "
                "give the new encoder a version of its own"
            )
        encoder.file(self._path).make_ready(encoder.rows(self._connection), thorough=False)

    def put(self, analysis: Analysis) -> int:
        """Store an analysis in the row its recording has, or a new one; returns the recording's id."""
        encoder = self._encoder(analysis.encoder_version)
        embedding, probabilities = _blobs(encoder, analysis)
        recording_id = self._put_recording(analysis)
        row = self._place(encoder, recording_id, embedding)
        self._connection.execute(_UPSERT_OUTPUT, _output(encoder, row, embedding, probabilities))
        self._connection.execute(_UPSERT_ANALYSIS, _columns(encoder, recording_id, row, analysis))
        return recording_id

    def put_new(self, analyses: Sequence[Analysis]) -> int:
        """Store those of which no sound one is there, all of one encoder; returns how many they were.

        New rows are flushed once for all of them, and of a recording that is known its length stays as it is.
        """
        if not analyses:
            return 0
        encoder = self._encoder(analyses[0].encoder_version)
        given = {analysis.audio_id: analysis for analysis in analyses}
        there = self._damaged(encoder, list(given))
        again = [given[audio_id] for audio_id, damaged in there.items() if damaged]
        new = [analysis for audio_id, analysis in given.items() if audio_id not in there]
        for analysis in again:
            self.put(analysis)
        self._append(encoder, new)
        return len(again) + len(new)

    def verify(self) -> int:
        """Mark analyses whose BLOBs are damaged, let their files wait and make the vector files anew.

        Returns how many were damaged.
        """
        n_damaged = 0
        for encoder in self._encoders():
            rows = encoder.rows(self._connection)
            damaged = list(rows.damaged())
            mark_damaged(self._connection, encoder.id, self._recordings_in(encoder, damaged))
            encoder.file(self._path).rebuild(rows)
            n_damaged += len(damaged)
        return n_damaged

    def vectors_are_ready(self) -> bool:
        """Whether every vector file is as the database has it, as far as a quick look shows."""
        return all(encoder.file(self._path).is_ready(encoder.rows(self._connection)) for encoder in self._encoders())

    def ready_vectors(self) -> None:
        """Put right the vector files that are not."""
        for encoder in self._encoders():
            encoder.file(self._path).make_ready(encoder.rows(self._connection))

    def _recordings_in(self, encoder: StoredEncoder, rows: Sequence[int]) -> list[int]:
        sql = 'SELECT recording_id FROM analyses WHERE encoder_id = ? AND "row" = ?'
        found = (self._connection.execute(sql, [encoder.id, row]).fetchone() for row in rows)
        return [columns[0] for columns in found if columns is not None]

    def _encoders(self) -> list[StoredEncoder]:
        versions = self._connection.execute("SELECT version FROM encoders ORDER BY id").fetchall()
        return [self._encoder(version) for (version,) in versions]

    def _encoder(self, version: str) -> StoredEncoder:
        found = self._connection.execute(StoredEncoder.SELECT, [version]).fetchone()
        if found is None:
            raise LibraryError(f"encoder version {version!r} is not registered in the library")
        return StoredEncoder.from_columns(found)

    def _put_recording(self, analysis: Analysis) -> int:
        self._connection.execute(
            _UPSERT_RECORDING,
            [analysis.audio_id, float(analysis.duration_s), clamp(analysis.n_damaged_packets), now()],
        )
        found = self._connection.execute("SELECT id FROM recordings WHERE audio_id = ?", [analysis.audio_id])
        return int(found.fetchone()[0])

    def _place(self, encoder: StoredEncoder, recording_id: int, embedding: bytes) -> int:
        # The row to use, with the vector file already written: the file comes before COMMIT.
        rows, file = encoder.rows(self._connection), encoder.file(self._path)
        file.make_ready(rows, thorough=False)
        found = self._connection.execute(
            'SELECT "row" FROM analyses WHERE encoder_id = ? AND recording_id = ?', [encoder.id, recording_id]
        ).fetchone()
        if found is None:
            file.append(encoder.n_rows, embedding)
            self._connection.execute("UPDATE encoders SET n_rows = n_rows + 1 WHERE id = ?", [encoder.id])
            return encoder.n_rows
        row = int(found[0])
        if rows.one(row) != embedding:
            file.overwrite(row, embedding)
        return row

    def _damaged(self, encoder: StoredEncoder, audio_ids: Sequence[str]) -> dict[str, bool]:
        """Tell of those recordings that have an analysis whether it is damaged."""
        rows = (
            self._connection.execute(in_list(_DAMAGED, chunk), [encoder.id, *chunk]).fetchall()
            for chunk in chunks(audio_ids)
        )
        return {audio_id: bool(damaged) for found in rows for audio_id, damaged in found}

    def _append(self, encoder: StoredEncoder, analyses: Sequence[Analysis]) -> None:
        blobs = [_blobs(encoder, analysis) for analysis in analyses]
        file = encoder.file(self._path)
        file.make_ready(encoder.rows(self._connection), thorough=False)
        file.append(encoder.n_rows, b"".join(embedding for embedding, _ in blobs))
        for row, (analysis, (embedding, probabilities)) in enumerate(
            zip(analyses, blobs, strict=True), start=encoder.n_rows
        ):
            recording_id = self._id_of(analysis)
            self._connection.execute(_UPSERT_OUTPUT, _output(encoder, row, embedding, probabilities))
            self._connection.execute(_UPSERT_ANALYSIS, _columns(encoder, recording_id, row, analysis))
        self._connection.execute("UPDATE encoders SET n_rows = n_rows + ? WHERE id = ?", [len(analyses), encoder.id])

    def _id_of(self, analysis: Analysis) -> int:
        """Return the recording's id; what is known of it stays."""
        sql = "SELECT id FROM recordings WHERE audio_id = ?"
        found = self._connection.execute(sql, [analysis.audio_id]).fetchone()
        return int(found[0]) if found else self._put_recording(analysis)


def _blobs(encoder: StoredEncoder, analysis: Analysis) -> tuple[bytes, bytes]:
    """Check an analysis and return embedding and probabilities. Raises LibraryError."""
    check_audio_id(analysis.audio_id)
    check_numbers(analysis)
    embedding = unit_blob(analysis.embedding, encoder.info.dim)
    return embedding, to_blob(analysis.probabilities, len(encoder.info.labels), "the probabilities")


def _output(encoder: StoredEncoder, row: int, embedding: bytes, probabilities: bytes) -> list[Any]:
    return [slot(encoder.id, row), embedding, probabilities, checksum(embedding, probabilities)]


def _columns(encoder: StoredEncoder, recording_id: int, row: int, analysis: Analysis) -> list[Any]:
    return [
        encoder.id,
        recording_id,
        row,
        _float(analysis.bpm),
        _float(analysis.bpm_confidence),
        None if analysis.key is None else clean_text(analysis.key),
        _float(analysis.key_confidence),
        now(),
    ]


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)
