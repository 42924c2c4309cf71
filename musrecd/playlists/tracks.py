"""Which tracks are in a playlist: what sounds like its seeds, best first or as a set that flows."""

import os
from pathlib import Path
from typing import Any

from musrecd.asking.ask import LibraryCatalogue, ask, seeds_of
from musrecd.asking.question import Question
from musrecd.config_playlists import PlaylistConfig
from musrecd.errors import LibraryError, PlaylistError
from musrecd.library.reader import LibraryReader
from musrecd.playlists.reading import LIST_SUFFIXES, Entry, read_list
from musrecd.recommend.asking import Choice
from musrecd.recommend.presets import PRESETS
from musrecd.types import Track


def tracks_for(reader: LibraryReader, playlist: PlaylistConfig) -> list[Track]:
    """Return the tracks of a playlist in their order. Raises LibraryError, or PlaylistError if a seed is unknown."""
    info = reader.encoder()
    if info is None:
        raise LibraryError("the library is empty; run `musrecd scan FOLDER` first")
    seeds = seeds_of(reader, info, seed_tracks(reader, playlist, info.version))
    catalogue = LibraryCatalogue(reader, info.version)
    answered = ask(reader, info, seeds, question_of(playlist), catalogue)
    return [catalogue.tracks[told.result.row] for told in answered.told]


def question_of(playlist: PlaylistConfig) -> Question:
    """Return what a playlist asks for: rules of its own take the place of those of its preset."""
    weights, rules = PRESETS[playlist.preset or "listen"]
    own: dict[str, Any] = {
        "tempo": playlist.tempo,
        "key": playlist.key,
        "labels": playlist.labels,
        "genres": playlist.genres,
    }
    rules = rules._replace(**{name: value for name, value in own.items() if value})
    return Question(rules, Choice(number=playlist.number, weights=weights), playlist.order)


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
