"""`musrecd map`: the library in two dimensions, as a picture or as a page."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from musrecd.commands.output import check_output, write_output
from musrecd.commands.outside import hear
from musrecd.commands.similar import tracks_by_words
from musrecd.config import Config
from musrecd.display import counted, printable, printable_path
from musrecd.errors import LibraryError, MusrecError
from musrecd.library.reader import LibraryReader
from musrecd.map.chart import Chart, Place, group_by, named
from musrecd.map.layout import among, lay_out
from musrecd.map.page import render_page
from musrecd.map.picture import check_matplotlib, render_picture
from musrecd.recommend.sequence import path as path_between
from musrecd.types import Analysis, EncoderInfo, FloatArray, KnownRecording, Tags, Track

SUFFIXES = (".png", ".html")
# How many tracks lie between the ends of a path.
_STEPS = 9


@dataclass(slots=True)
class _Tracks:
    """What is on the map: tracks of the library, then those heard for the occasion."""

    vectors: FloatArray
    places: list[Place] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    of_recording: dict[int, int] = field(default_factory=dict)
    heard: list[FloatArray] = field(default_factory=list)


def draw_map(config: Config, output: Path, *, seeds: Sequence[str], to: str | None, group: str) -> int:
    """Write the map of the library and return how many tracks are on it.

    `seeds` and `to` are files (in the library or not) or words; `group` is a group of labels, or `artist`.
    Raises MusrecError if the output cannot be written, LibraryError, AudioError.
    """
    check_output(output, SUFFIXES)
    is_picture = output.suffix.lower() == ".png"
    if is_picture:
        check_matplotlib()
    with LibraryReader.open(config.library) as reader:
        info = reader.encoder()
        tracks = _tracks(reader, info, group) if info else None
    if info is None or tracks is None or not tracks.places:
        raise LibraryError("the library is empty; run `musrecd scan FOLDER` first")
    asked = [_asked(config, info, tracks, name, group) for name in seeds]
    goal = _asked(config, info, tracks, to, group) if to else []
    with _at_work(f"Laying out {counted(len(tracks.vectors), 'track')}"):
        positions = lay_out(tracks.vectors)
    path: tuple[int, ...] = ()
    if goal:
        vectors = np.concatenate([tracks.vectors, *(v[None] for v in tracks.heard)])
        path = _between(vectors, asked[0][0], goal[0])
    if tracks.heard:
        positions = np.concatenate([positions, among(np.array(tracks.heard), tracks.vectors, positions)])
    chosen = tuple(dict.fromkeys(place for found in asked for place in found))
    groups, indexes = group_by(tracks.words, positions, named(chosen, path))
    title = f"{counted(len(tracks.vectors), 'track')} by their sound, coloured by {group}"
    chart = Chart(title, tuple(tracks.places), positions, groups, indexes, chosen, path)
    write_output(output, render_picture(chart) if is_picture else render_page(chart))
    return len(tracks.vectors)


@contextmanager
def _at_work(what: str) -> Iterator[None]:
    """Show on standard error that something goes on, and for how long."""
    console = Console(file=sys.stderr, highlight=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(what, total=None)
        yield


def _tracks(reader: LibraryReader, info: EncoderInfo, group: str) -> _Tracks:
    vectors = reader.vectors(info.version)
    found = reader.tracks_in_rows(range(len(vectors)), info.version)
    present = {row: files[0] for row, files in found.items() if files}
    tracks = _Tracks(vectors[list(present)])
    probabilities = reader.probabilities([track.recording_id for track in present.values()], info.version)
    for track in present.values():
        tracks.of_recording[track.recording_id] = len(tracks.places)
        tracks.places.append(_place(track.tags, track.path))
        tracks.words.append(_word(track.tags, probabilities.get(track.recording_id), info, group))
    return tracks


def _place(tags: Tags, path: bytes) -> Place:
    return Place(printable(tags.artist), printable(tags.title) or printable_path(os.path.basename(path)))


def _word(tags: Tags, probabilities: FloatArray | None, info: EncoderInfo, group: str) -> str:
    """Return what a track is coloured by; of genres the one that a person set comes before what is heard."""
    if group == "artist":
        return printable(tags.artist)
    if group == "genre" and tags.genres:
        return printable(tags.genres[0])
    columns = [i for i, label in enumerate(info.labels) if label.group == group]
    if probabilities is None or not columns:
        return ""
    return info.labels[max(columns, key=lambda i: probabilities[i])].name


def _asked(config: Config, info: EncoderInfo, tracks: _Tracks, name: str, group: str) -> list[int]:
    """Return the places of the tracks that a file or words name; a file that the library lacks gets a new one."""
    with LibraryReader.open(config.library) as reader:
        found: list[Track]
        if os.path.lexists(name):
            found = list(reader.tracks_at([os.path.abspath(os.fsencode(name))], info.version).values())
        else:
            found = tracks_by_words(reader, info.version, name)
    numbers = [track.recording_id for track in found] or _heard_at(config, info, tracks, name, group)
    places = [tracks.of_recording[number] for number in dict.fromkeys(numbers) if number in tracks.of_recording]
    if not places:
        raise LibraryError(f"{printable_path(name)} came into the library just now; ask again")
    return places


def _heard_at(config: Config, info: EncoderInfo, tracks: _Tracks, name: str, group: str) -> list[int]:
    """Hear a file; return the id under which its place is known. One that is new is numbered from -1 downwards."""
    from musrecd.ingest.tags import read_tags

    path = os.path.abspath(os.fsencode(name))
    with _at_work(f"Listening to {printable_path(name)}"):
        heard = hear(config, name, info, store=False)
    with LibraryReader.open(config.library) as reader:
        known = reader.recordings_of([heard.audio_id])
    if known and known[0] in tracks.of_recording:
        return known
    if isinstance(heard, KnownRecording):
        raise MusrecError(f"{printable_path(name)} is known, but its other copies are gone; `musrecd scan` it first")
    return [_added(tracks, heard, (read_tags(path), path), info, group)]


def _added(tracks: _Tracks, heard: Analysis, source: tuple[Tags, bytes], info: EncoderInfo, group: str) -> int:
    tags, path = source
    number = -1 - len(tracks.heard)
    tracks.of_recording[number] = len(tracks.places)
    tracks.places.append(_place(tags, path))
    tracks.words.append(_word(tags, heard.probabilities, info, group))
    tracks.heard.append(heard.embedding)
    return number


def _between(vectors: FloatArray, start: int, end: int) -> tuple[int, ...]:
    return (start,) if start == end else tuple(path_between(vectors, start, end, _STEPS))
