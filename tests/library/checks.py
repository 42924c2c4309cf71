"""Holds everything in a library against everything."""

import sqlite3
from contextlib import closing

import numpy as np

from musrecd.keys import KEYS
from musrecd.library.reader import LibraryReader
from musrecd.types import Tags

TAGS = Tags("artist", "title", "album")


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def query(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def check_consistent(path):
    """Hold everything against everything: rows, counters, BLOBs, files of rows."""
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert query(path, "PRAGMA foreign_key_check") == []
    with LibraryReader.open(path) as reader:
        for number, version, n_rows in query(path, "SELECT id, version, n_rows FROM encoders"):
            sql = f'SELECT recording_id, "row" FROM analyses WHERE encoder_id = {number} ORDER BY "row"'
            analyses = query(path, sql)
            assert [row for _, row in analyses] == list(range(n_rows))
            vectors = reader.vectors(version)
            assert vectors.shape[0] == n_rows
            ids = [recording for recording, _ in analyses]
            np.testing.assert_array_equal(vectors, reader.embeddings(ids, version))
            assert reader.rows_of(ids, version) == dict(analyses)
            check_features(path, reader, version)
    n_outputs = query(path, "SELECT count(*) FROM outputs")
    assert n_outputs == query(path, "SELECT count(*) FROM analyses")


_FEATURES = """
    SELECT r.duration_s, a.bpm, a.bpm_confidence, a."key", a.key_confidence, o.probabilities
    FROM analyses a JOIN encoders e ON e.id = a.encoder_id JOIN recordings r ON r.id = a.recording_id
    JOIN outputs o ON o.id = (a.encoder_id << 32) + a."row"
    WHERE e.version = ? ORDER BY a."row"
"""


def check_features(path, reader, version):
    """Hold the features of all rows against what the tables say."""
    features = reader.features(version)
    with closing(sqlite3.connect(path)) as connection:
        stored = connection.execute(_FEATURES, [version]).fetchall()
    assert len(features.bpm) == len(stored)
    for row, (duration_s, bpm, bpm_confidence, key, key_confidence, probabilities) in enumerate(stored):
        assert features.duration_s[row] == np.float32(duration_s)
        assert features.bpm[row] == np.float32(bpm) if bpm is not None else np.isnan(features.bpm[row])
        assert features.bpm_confidence[row] == np.float32(bpm_confidence or 0)
        assert features.key[row] == (KEYS.index(key) if key in KEYS else -1)
        assert features.key_confidence[row] == np.float32(key_confidence or 0)
        expected = np.rint(np.frombuffer(probabilities, "<f4").clip(0, 1) * 255)
        np.testing.assert_array_equal(features.probabilities[row], expected)
