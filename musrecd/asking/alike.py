"""Which files are alike, for queries: by words, by a least likeness, or both."""

from typing import TYPE_CHECKING

import numpy as np

from musrecd.asking.ask import LibraryCatalogue, ask, seeds_of
from musrecd.asking.options import question
from musrecd.errors import LibraryError, MusrecError
from musrecd.library.reader import LibraryReader
from musrecd.recommend.similarity import cosines, mean_direction

if TYPE_CHECKING:
    from musrecd.config import Config
    from musrecd.types import FloatArray, Track

_PAIRS_AT_ONCE = 2**24


def alike(config: "Config", words: str, least: float | None) -> list[bytes]:
    """Return the paths of the tracks that sound like those that `words` find.

    Those that `musrecd similar` would show, or all whose cosine is `least`, themselves included; without words all
    that have a double as like as that. Raises MusrecError if the words match nothing, LibraryError.
    """
    with LibraryReader.open(config.library) as reader:
        if (info := reader.encoder()) is None:
            raise LibraryError("nothing is analysed yet; run `beet analyse` or `musrecd scan FOLDER` first")
        vectors = reader.vectors(info.version)
        if not words:
            return _paths(reader, info.version, _with_double(vectors, least if least is not None else 1.0))
        tracks = list(reader.tracks_at([track.path for track in reader.find(words)], info.version).values())
        if not tracks:
            raise MusrecError(f"similar: no analysed track has {words!r} in its path, artist, title or album")
        seeds = seeds_of(reader, info, tracks)
        if least is not None:
            direction = mean_direction(np.stack([seed.embedding for seed in seeds]))
            return _paths(reader, info.version, np.flatnonzero(cosines(vectors, direction) >= least))
        catalogue = LibraryCatalogue(reader, info.version)
        answer = ask(reader, info, seeds, question({}, config), catalogue)
        return _paths(reader, info.version, np.array([told.result.row for told in answer.told], np.int64))


def _with_double(vectors: "FloatArray", least: float) -> np.ndarray:
    """Rows that another row is at least as like as that: every pair is looked at, so many at a time that they fit."""
    n_rows = max(1, _PAIRS_AT_ONCE // max(len(vectors), 1))
    found = np.zeros(len(vectors), bool)
    for first in range(0, len(vectors), n_rows):
        rows = slice(first, first + n_rows)
        scores = vectors[rows] @ vectors.T
        scores[np.arange(len(scores)), np.arange(first, first + len(scores))] = -2
        found[rows] = scores.max(axis=1, initial=-2) >= least
    return np.flatnonzero(found)


def _paths(reader: LibraryReader, version: str, rows: np.ndarray) -> list[bytes]:
    tracks: dict[int, list[Track]] = reader.tracks_in_rows([int(row) for row in rows], version)
    return [track.path for files in tracks.values() for track in files]
