"""Libraries of beets and musrec as large as wanted, filled by SQL: adding a million tracks one by one takes an hour."""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from musrecd.keys import KEYS
from musrecd.library.encoding import genres_to_text, search_text, slot
from musrecd.library.store import Library as MusrecLibrary
from musrecd.types import Analysis, EncoderInfo, FileState, Label, Tags

DIM = 128
VERSION = "benchmark"
GENRES = tuple(f"Genre {i}" for i in range(40))
INSTRUMENTS = tuple(f"Instrument {i}" for i in range(20))
LABELS = tuple(Label(name, "genre") for name in GENRES) + tuple(Label(name, "instrument") for name in INSTRUMENTS)
_AT_ONCE = 20_000
_RECORDING = "INSERT INTO recordings (id, audio_id, duration_s, n_damaged_packets, added_at) VALUES (?, ?, ?, 0, ?)"
_ANALYSIS = """
    INSERT INTO analyses
        (encoder_id, recording_id, "row", bpm, bpm_confidence, "key", key_confidence, hearing, analysed_at)
    VALUES (1, ?, ?, ?, .9, ?, .9, 0, ?)
"""
_OUTPUT = "INSERT INTO outputs (id, embedding, probabilities, checksum) VALUES (?, ?, ?, ?)"
_FILE = """
    INSERT INTO files (path, recording_id, size, mtime_ns, artist, title, album, genres, year, search)
    VALUES (?, ?, 1, 1, ?, ?, ?, ?, ?, ?)
"""
_AT = "2026-01-01T00:00:00+00:00"


def path_of(folder: Path, i: int) -> bytes:
    """Where track `i` lies."""
    return os.fsencode(folder / "music" / f"artist{i % 300}" / f"{i}.mp3")


def tags_of(i: int) -> Tags:
    """Tags of track `i`, by one of some hundred artists."""
    genres = (GENRES[i % len(GENRES)], GENRES[i * 7 % len(GENRES)])
    return Tags(f"Artist {i % 300}", f"Title {i}", f"Album {i % 2000}", genres, 1960 + i % 65)


def length_s(i: int) -> float:
    """How long track `i` is."""
    return 120.0 + i % 300


def fill_beets(folder: Path, n_tracks: int) -> None:
    """Write a beets library: one item as beets does, and others like it."""
    from beets.library import Item, Library

    library = Library(str(folder / "beets.db"), str(folder / "music"))
    library.add(Item(path=path_of(folder, 0), genres=[], length=1.0))
    library._close()
    with closing(sqlite3.connect(folder / "beets.db")) as connection, connection:
        own = ("id", "path", "artist", "title", "album", "genres", "year", "length")
        others = [name for _, name, *_ in connection.execute("PRAGMA table_info(items)") if name not in own]
        sql = (
            f"INSERT OR REPLACE INTO items ({', '.join((*own, *others))}) "
            f"SELECT ?, ?, ?, ?, ?, ?, ?, ?, {', '.join(others)} FROM items WHERE id = 1"
        )
        connection.executemany(sql, (_item(i) for i in range(n_tracks)))


def _item(i: int) -> tuple[object, ...]:
    tags = tags_of(i)
    path = f"artist{i % 300}/{i}.mp3".encode()
    return i + 1, path, tags.artist, tags.title, tags.album, "\\␀".join(tags.genres), tags.year, length_s(i)


def fill_musrec(folder: Path, n_tracks: int) -> None:
    """Write a musrec library of as many analyses with random embeddings, labels, tempi and keys.

    Its files of vectors and features are made when it is opened again.
    """
    rng = np.random.default_rng(0)
    with MusrecLibrary.open(folder / "musrec.db") as library:
        library.register_encoder(EncoderInfo(VERSION, DIM, LABELS))
    with closing(sqlite3.connect(folder / "musrec.db")) as connection, connection:
        for first in range(0, n_tracks, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, n_tracks))
            outputs = list(_outputs(rng, numbers))
            connection.executemany(_RECORDING, ((i + 1, f"{i:040x}", length_s(i), _AT) for i in numbers))
            keys = rng.integers(0, len(KEYS), len(numbers)).tolist()
            bpms = rng.uniform(70, 180, len(numbers)).tolist()
            rows = ((i + 1, i, bpm, KEYS[key], _AT) for i, bpm, key in zip(numbers, bpms, keys, strict=True))
            connection.executemany(_ANALYSIS, rows)
            connection.executemany(_OUTPUT, outputs)
            connection.executemany(_FILE, (_file(folder, i) for i in numbers))
        connection.execute("UPDATE encoders SET n_rows = ?", [n_tracks])


def analysis_of(i: int) -> Analysis:
    """Return an analysis of one more track."""
    ((_, embedding, probabilities, _),) = _outputs(np.random.default_rng(i), range(i, i + 1))
    vectors = np.frombuffer(embedding, np.float32), np.frombuffer(probabilities, np.float32)
    return Analysis(f"{i:040x}", VERSION, *vectors, length_s(i), bpm=120.0, bpm_confidence=0.9)


def state_of(folder: Path, i: int) -> FileState:
    """Return the file of one more track."""
    return FileState(path_of(folder, i), 1, 1)


def _outputs(rng: np.random.Generator, numbers: range) -> Iterator[tuple[int, bytes, bytes, int]]:
    vectors = rng.standard_normal((len(numbers), DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    probabilities = rng.random((len(numbers), len(LABELS))).astype(np.float32)
    for i, vector, each in zip(numbers, vectors, probabilities, strict=True):
        blobs = vector.tobytes(), each.tobytes()
        yield slot(1, i), *blobs, zlib.crc32(blobs[1], zlib.crc32(blobs[0]))


def _file(folder: Path, i: int) -> tuple[object, ...]:
    tags, path = tags_of(i), path_of(folder, i)
    text = search_text(path, tags.artist, tags.title, tags.album)
    return path, i + 1, tags.artist, tags.title, tags.album, genres_to_text(tags.genres), tags.year, text
