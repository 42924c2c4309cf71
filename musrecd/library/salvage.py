"""What can still be read of a damaged library, so that few files have to be heard again.

An analysis is saved if its checksum is right and the tables and indexes that lead to it agree with each other.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musrecd.errors import LibraryDamagedError, LibraryError, LibraryUnavailableError
from musrecd.library import chunks, heads
from musrecd.library.database import BUSY_TIMEOUT_S, connect
from musrecd.library.database import chunks as split
from musrecd.library.encoding import MAX_ROWS, encoder_from_row, from_blob, genres_from_text, intact, slot
from musrecd.library.journal import SELECT, Entry, entry
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Analysis, Chunks, EncoderInfo, FileState, Tags

_AT_ONCE = 500
# A page that cannot be read is stepped over, in steps twice as long each time, up to the longest table there may be.
_LONGEST_STEP = 2**40

_OUTPUTS = "SELECT id, embedding, probabilities, checksum FROM outputs WHERE id > ? ORDER BY id"
# The first of each pair is answered by an index, the second by the table: two copies of the same.
_RECORDING_OF_ROW = 'SELECT recording_id FROM analyses WHERE encoder_id = ? AND "row" = ?'
_ANALYSIS = """
    SELECT "row", bpm, bpm_confidence, "key", key_confidence, hearing FROM analyses
    WHERE encoder_id = ? AND recording_id = ?
"""
_RECORDING = "SELECT audio_id, duration_s, n_damaged_packets FROM recordings WHERE id = ?"
_ID_OF_RECORDING = "SELECT id FROM recordings WHERE audio_id = ?"
_FILES = """
    SELECT path, size, mtime_ns, missing_since, artist, title, album, genres, year FROM files WHERE recording_id = ?
"""


@dataclass(frozen=True, slots=True)
class _Saved:
    analysis: Analysis
    files: list[tuple[FileState, Tags]]
    missing: list[bytes]


def salvage(source: Path, library: Library, on_turn: Callable[[], None]) -> int:
    """Add what can be read of the damaged library at `source`; returns how many recordings that were.

    What `library` knows already is left as it is there. Reads only; `on_turn` is called now and then. Raises
    LibraryUnavailableError if `library` cannot be written.
    """
    n_saved = 0
    with suppress(sqlite3.Error), closing(connect(source, "ro", BUSY_TIMEOUT_S)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cell_size_check = ON")
        encoders = _encoders(connection)
        for info in encoders.values():
            with _passing_over():
                library.register_encoder(info)
        with LibraryReader.open(library.path) as known:
            for batch in split(_readable(connection, encoders), _AT_ONCE):
                wanted = [each for each in batch if not known.knows(each.analysis.audio_id, _version(each))]
                n_saved += _add(library, wanted)
                on_turn()
        _save_heads(connection, encoders, library)
        _save_journal(connection, library)
    return n_saved


def _save_heads(connection: sqlite3.Connection, encoders: dict[int, EncoderInfo], library: Library) -> None:
    """Save what was learnt of a person's genres, which is newer than what a backup knows of them."""
    for info in encoders.values():
        with suppress(sqlite3.Error), _passing_over():
            content = heads.sound_content(connection.execute(heads.READ, [info.version]).fetchall())
            if content is not None:
                library.keep_head(info.version, content)


def _save_journal(connection: sqlite3.Connection, library: Library) -> None:
    """Add writes into files that the backup does not know of, or knows as they were; what is damaged is left out."""
    with library.at_once():
        for each in list(_readable_writes(connection)):
            # A row that the table does not take, because damage made it odd.
            with suppress(sqlite3.Error):
                library.journal.restore(each)


def _readable_writes(connection: sqlite3.Connection) -> Iterator[Entry]:
    after, step = 0, 1
    while step < _LONGEST_STEP:
        try:
            for row in connection.execute(SELECT.format("id > ?"), [after]):
                after, step = row[0], 1
                with suppress(TypeError, ValueError):
                    if isinstance((each := entry(row)).plan.path, bytes):
                        yield each
            return
        except sqlite3.Error:
            after, step = after + step, 2 * step


def _version(saved: _Saved) -> str:
    return saved.analysis.encoder_version


def _add(library: Library, batch: Sequence[_Saved]) -> int:
    n_added = 0
    with library.at_once():
        for saved in batch:
            with _passing_over():
                library.keep(saved.analysis)
                for file, tags in saved.files:
                    library.attach(file, saved.analysis.audio_id, tags)
                library.mark_missing(saved.missing)
                n_added += 1
    return n_added


@contextmanager
def _passing_over() -> Iterator[None]:
    """Pass over what the library does not take, because damage made it odd; not that it takes nothing at all."""
    try:
        yield
    except (LibraryDamagedError, LibraryUnavailableError):
        raise
    except LibraryError:
        return


def _encoders(connection: sqlite3.Connection) -> dict[int, EncoderInfo]:
    encoders: dict[int, EncoderInfo] = {}
    with suppress(sqlite3.Error):
        for number, *columns in connection.execute("SELECT id, version, dim, labels FROM encoders"):
            with _passing_over():
                encoders[number] = encoder_from_row(*columns)
    return encoders


def _readable(connection: sqlite3.Connection, encoders: dict[int, EncoderInfo]) -> Iterator[_Saved]:
    for key, *outputs in _stepping_over(connection):
        number, row = divmod(key, MAX_ROWS)
        info = encoders.get(number)
        if info is None or not intact(outputs, info.dim):
            continue
        saved = None
        # Values may be of any type where a page is damaged.
        with suppress(sqlite3.Error, TypeError, ValueError):
            saved = _read(connection, number, row, info, outputs)
        if saved is not None:
            yield saved


def _stepping_over(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    after, step = -1, 1
    while step < _LONGEST_STEP:
        try:
            for columns in connection.execute(_OUTPUTS, [after]):
                after, step = columns[0], 1
                yield columns
            return
        except sqlite3.Error:
            after, step = after + step, 2 * step


def _read(
    connection: sqlite3.Connection, number: int, row: int, info: EncoderInfo, outputs: Sequence[Any]
) -> _Saved | None:
    embedding, probabilities, _ = outputs
    [(recording_id,)] = connection.execute(_RECORDING_OF_ROW, [number, row])
    [(same_row, bpm, bpm_confidence, key, key_confidence, hearing)] = connection.execute(
        _ANALYSIS, [number, recording_id]
    )
    [(audio_id, duration_s, n_damaged_packets)] = connection.execute(_RECORDING, [recording_id])
    [(same_recording,)] = connection.execute(_ID_OF_RECORDING, [audio_id])
    if (same_row, same_recording) != (row, recording_id):
        return None
    analysis = Analysis(
        str(audio_id),
        info.version,
        from_blob(embedding),
        from_blob(probabilities),
        float(duration_s),
        bpm=_number(bpm),
        bpm_confidence=_number(bpm_confidence),
        key=None if key is None else str(key),
        key_confidence=_number(key_confidence),
        n_damaged_packets=int(n_damaged_packets),
        hearing=int(hearing),
        chunks=_chunks(connection, slot(number, row), info),
    )
    return _Saved(analysis, *_files(connection, recording_id))


def _chunks(connection: sqlite3.Connection, key: int, info: EncoderInfo) -> Chunks | None:
    """Read how a recording sounds piece by piece; None if that is damaged, which keeps nobody from saving the rest."""
    with suppress(sqlite3.Error):
        return chunks.read_one(connection, key, info.dim)
    return None


def _files(connection: sqlite3.Connection, recording_id: int) -> tuple[list[tuple[FileState, Tags]], list[bytes]]:
    """Read the files of a recording, and which of them are missing.

    None if they cannot be read: looking through the folders finds them, and recognises the recording.
    """
    files: list[tuple[FileState, Tags]] = []
    missing: list[bytes] = []
    with suppress(sqlite3.Error, TypeError, ValueError):
        for path, size, mtime_ns, missing_since, *tag_columns in connection.execute(_FILES, [recording_id]):
            if isinstance(path, bytes):
                tags = _tags(*tag_columns)
                files.append((FileState(path, int(size), int(mtime_ns)), tags))
                missing += [path] * (missing_since is not None)
    return files, missing


def _tags(artist: object, title: object, album: object, genres: object, year: Any) -> Tags:  # noqa: ANN401
    year = None if year is None else int(year)
    return Tags(str(artist), str(title), str(album), genres_from_text(str(genres)), year)


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)
