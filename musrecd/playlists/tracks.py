"""Which tracks are in a playlist: what sounds like its seeds, best first or as a set that flows."""

import os
from itertools import islice
from pathlib import Path

import numpy as np

from musrecd.config_playlists import PlaylistConfig
from musrecd.errors import LibraryError, PlaylistError
from musrecd.library.reader import LibraryReader
from musrecd.playlists.reading import LIST_SUFFIXES, Entry, read_list
from musrecd.recommend.sequence import flow
from musrecd.recommend.similarity import mean_direction, nearest
from musrecd.types import Track


def tracks_for(reader: LibraryReader, playlist: PlaylistConfig) -> list[Track]:
    """Return the tracks of a playlist in their order. Raises LibraryError, or PlaylistError if a seed is unknown."""
    info = reader.encoder()
    if info is None:
        raise LibraryError("the library is empty; run `musrecd scan FOLDER` first")
    seeds = seed_tracks(reader, playlist, info.version)
    found = _similar(reader, info.version, seeds, playlist.number)
    return _as_set(reader, info.version, found) if playlist.order == "flow" else list(found.values())


def seed_tracks(reader: LibraryReader, playlist: PlaylistConfig, version: str) -> list[Track]:
    """Find the analysed tracks that the seeds of a playlist name, each once. Raises PlaylistError for one that is none.

    A seed that begins with `/` or `~` is a file of the library or a list of such; all others are words.
    """
    found: dict[bytes, Track] = {}
    for seed in playlist.seeds:
        tracks = _named(reader, _entries(seed), version)
        if not tracks:
            raise PlaylistError(
                f"playlist {playlist.name!r}: {seed!r} leads to no track that was heard; "
                "name other seeds, or run `musrecd scan FOLDER`"
            )
        found |= tracks
    return list(found.values())


def _entries(seed: str) -> list[Entry]:
    if not seed.startswith(("/", "~")):
        return [Entry(None, seed)]
    path = Path(seed).expanduser()
    if path.suffix.lower() in LIST_SUFFIXES:
        return read_list(path)
    return [Entry(os.path.abspath(os.fsencode(path)))]


def _named(reader: LibraryReader, entries: list[Entry], version: str) -> dict[bytes, Track]:
    """Find the tracks that entries lead to: where the path of one is unknown, those that have the words of its name."""
    at_paths = reader.tracks_at([entry.path for entry in entries if entry.path], version)
    names = [entry.name for entry in entries if entry.path not in at_paths]
    # Of `Artist - Title` the words are in the tags, the dash is not.
    words = [" ".join(word for word in name.split() if any(map(str.isalnum, word))) for name in names]
    by_name = [track.path for each in words for track in reader.find(each)]
    return at_paths | reader.tracks_at(by_name, version)


def _similar(reader: LibraryReader, version: str, seeds: list[Track], number: int) -> dict[int, Track]:
    """Row of the matrix → its first track, of the rows nearest to the middle of the seeds, best first."""
    ids = list(dict.fromkeys(track.recording_id for track in seeds))
    middle = mean_direction(reader.embeddings(ids, version))
    ranked = nearest(reader.vectors(version), middle, without=reader.rows_of(ids, version).values())
    found: dict[int, Track] = {}
    while len(found) < number and (look := [match.row for match in islice(ranked, number)]):
        tracks = reader.tracks_in_rows(look, version)
        found |= {row: tracks[row][0] for row in look if tracks[row]}
    return dict(islice(found.items(), number))


def _as_set(reader: LibraryReader, version: str, found: dict[int, Track]) -> list[Track]:
    """Begin with the best, and go on as it flows."""
    if not found:
        return []
    vectors = reader.vectors(version)
    unknown = np.full(len(vectors), np.nan, np.float32), np.full(len(vectors), -1, np.int8)
    return [found[row] for row in flow(vectors, *unknown, list(found), start=next(iter(found)))]
