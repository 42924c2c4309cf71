"""`musrecd playlist`: write the playlists of the configuration, show them, or hand them to MPD."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from musrecd.config import Config
from musrecd.config_playlists import PlaylistConfig
from musrecd.display import clock, counted, printable, printable_path
from musrecd.errors import PlaylistError
from musrecd.library.reader import LibraryReader
from musrecd.playlists import mpd
from musrecd.playlists.m3u import shown_name
from musrecd.playlists.tracks import tracks_for
from musrecd.playlists.writing import chosen, folder_of, write
from musrecd.types import Track


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a playlist: its tracks, a line for a person, and the tracks that could not be taken along.

    `error` says why nothing became of it.
    """

    playlist: PlaylistConfig
    tracks: Sequence[Track] = ()
    line: str = ""
    left_out: Sequence[bytes] = ()
    is_written: bool = False
    error: str = ""


def write_lists(config: Config, names: Sequence[str]) -> list[Done]:
    """Write the files of playlists. Raises LibraryError, or PlaylistError if none can be written."""
    folder_of(config.playlists)
    return _each(config, names, partial(_write, config))


def show_lists(config: Config, names: Sequence[str]) -> list[Done]:
    """Find what would be in playlists, and do no more. Raises LibraryError, or PlaylistError for an unknown name."""
    return _each(config, names, lambda reader, playlist: Done(playlist, tracks_for(reader, playlist)))


def queue_lists(config: Config, names: Sequence[str], *, replace: bool) -> list[Done]:
    """Hand the tracks of playlists to MPD, one after the other. Raises LibraryError, or PlaylistError."""
    found = show_lists(config, names)
    paths = [track.path for each in found for track in each.tracks]
    missing = set(mpd.queue(paths, config.mpd, replace=replace)) if paths else set()
    return [each if each.error else _queued(each, missing) for each in found]


def _each(config: Config, names: Sequence[str], do: Callable[[LibraryReader, PlaylistConfig], Done]) -> list[Done]:
    playlists = chosen(config.playlists, names)
    with LibraryReader.open(config.library) as reader:
        return [_or_error(partial(do, reader), playlist) for playlist in playlists]


def _or_error(do: Callable[[PlaylistConfig], Done], playlist: PlaylistConfig) -> Done:
    """Let what is wrong with one playlist keep no other one from being written."""
    try:
        return do(playlist)
    except PlaylistError as error:
        return Done(playlist, error=str(error))


def _write(config: Config, reader: LibraryReader, playlist: PlaylistConfig) -> Done:
    written = write(reader, playlist, config.playlists)
    how = "" if written.is_new else " (unchanged)"
    line = f"{counted(len(written.tracks), 'track')} in {printable_path(bytes(written.path))}{how}"
    left_out = [track.path for track in written.left_out]
    return Done(playlist, written.tracks, line, left_out, is_written=written.is_new)


def _queued(done: Done, missing: set[bytes]) -> Done:
    tracks = [track for track in done.tracks if track.path not in missing]
    left_out = [track.path for track in done.tracks if track.path in missing]
    return Done(done.playlist, tracks, f"{counted(len(tracks), 'track')} handed to MPD", left_out)


def show(all_done: Sequence[Done], *, as_json: bool) -> None:
    """Print what became of playlists; what could not be done goes to standard error."""
    if as_json:
        click.echo(json.dumps([_to_dict(done) for done in all_done], indent=1))
    else:
        for line in _lines(all_done):
            click.echo(line)
    for line in _complaints(all_done):
        click.echo(f"musrecd: {line}", err=True)


def _lines(all_done: Sequence[Done]) -> Iterator[str]:
    """Say what became of playlists, or what is in them where they were only looked at."""
    for done in all_done:
        if not done.error:
            yield f"{printable(done.playlist.name)}: {done.line}".rstrip()
        if not done.line:
            yield from (f"  {printable(shown_name(track))}  {clock(track.duration_s)}" for track in done.tracks)


def _complaints(all_done: Sequence[Done]) -> Iterator[str]:
    for done in all_done:
        yield from (f"left out: {printable_path(path)}" for path in done.left_out)
        if done.error:
            yield printable(done.error)


def _to_dict(done: Done) -> dict[str, Any]:
    # Paths that are no text keep their bytes as `\\udcXX`.
    return {
        "name": done.playlist.name,
        "file": done.playlist.file,
        "written": done.is_written,
        "error": done.error,
        "left_out": [os.fsdecode(path) for path in done.left_out],
        "tracks": [
            {
                "path": os.fsdecode(track.path),
                "artist": track.tags.artist,
                "title": track.tags.title,
                "album": track.tags.album,
                "length": round(track.duration_s, 2),
            }
            for track in done.tracks
        ],
    }
