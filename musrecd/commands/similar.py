"""`musrecd similar`: what in the library sounds like a file, or like tracks found by words."""

import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from musrecd.config import Config
from musrecd.display import clock, counted, printable, printable_path
from musrecd.errors import AudioError, LibraryError, MusrecError
from musrecd.library.reader import LibraryReader
from musrecd.recommend.similarity import mean_direction, nearest
from musrecd.tagging.predict import Prediction, most_probable
from musrecd.types import Analysis, EncoderInfo, FloatArray, KnownRecording, Track

_SHOWN_SEEDS = 5
_NARROW = 8
_WIDE = 200
_COLUMNS: dict[str, Literal["left", "right"]] = {
    "Score": "right",
    "Artist": "left",
    "Title": "left",
    "Length": "right",
    "Sounds like": "left",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One similar track, its cosine similarity (-1 to 1), and the genre it sounds most like."""

    track: Track
    score: float
    genre: Prediction


@dataclass(frozen=True, slots=True)
class Answer:
    """The seeds as a person knows them, and what sounds like them, best first."""

    seeds: list[str]
    results: list[Result]


def similar_to(config: Config, seeds: Sequence[str], *, store: bool) -> Answer:
    """Answer for files (in the library or not) and words.

    Raises LibraryError, AudioError, EncoderError, or MusrecError if the words match nothing.
    """
    files = [seed for seed in seeds if os.path.lexists(seed)]
    words = " ".join(seed for seed in seeds if not os.path.lexists(seed))
    with LibraryReader.open(config.library) as reader:
        info = reader.encoder()
        if info is None:
            raise LibraryError("the library is empty; run `musrecd scan FOLDER` first")
        tracks = _tracks_by_words(reader, info.version, words) if words else []
        inside = reader.tracks_at([os.path.abspath(os.fsencode(file)) for file in files], info.version)
        tracks += inside.values()
    outside = [file for file in files if os.path.abspath(os.fsencode(file)) not in inside]
    heard = [_hear(config, file, info, store=store) for file in outside]
    analyses = [each for each in heard if isinstance(each, Analysis)]
    with LibraryReader.open(config.library) as reader:
        known = reader.recordings_of(each.audio_id for each in heard if isinstance(each, KnownRecording))
        ids = list(dict.fromkeys([*(track.recording_id for track in tracks), *known]))
        own = [analysis.embedding for analysis in analyses]
        embeddings = np.concatenate([reader.embeddings(ids, info.version), *(e[None] for e in own)])
        results = _nearest(config, reader, info, embeddings, (ids, {a.audio_id for a in analyses}))
    names = {track.recording_id: _name(track) for track in tracks}
    return Answer([*names.values(), *outside], results)


def by_chance(config: Config) -> list[str]:
    """Return the path of any track that can be asked about."""
    with LibraryReader.open(config.library) as reader:
        info = reader.encoder()
        paths = sorted(reader.analysed_paths(info.version)) if info else []
    if not paths:
        raise LibraryError("the library is empty; run `musrecd scan FOLDER` first")
    return [os.fsdecode(random.choice(paths))]  # noqa: S311


def _tracks_by_words(reader: LibraryReader, version: str, words: str) -> list[Track]:
    found = reader.find(words)
    analysed = reader.tracks_at([track.path for track in found], version)
    if not analysed:
        raise MusrecError(
            f"{words!r} is neither a file nor in the path, artist, title or album of any track in the library"
        )
    return list(analysed.values())


def _hear(config: Config, file: str, info: EncoderInfo, *, store: bool) -> Analysis | KnownRecording:
    """Let the daemon's warm worker hear a file, or do it here."""
    from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card

    version = read_card(config.encoder or SHIPPED_WEIGHTS, config.coverage).info.version
    if version != info.version:
        raise LibraryError(
            f"the library was analysed by {info.version}, a new file would be by {version}; "
            "run `musrecd scan FOLDER` to bring the library up to date"
        )
    path = os.path.abspath(os.fsencode(file))
    try:
        heard = _hear_by_daemon(config, path, version) or _analyse(config, path)
    except AudioError as error:
        raise type(error)(f"{printable_path(file)}: {error}") from error
    if store:
        _store(config.library, path, heard)
    return heard


def _hear_by_daemon(config: Config, path: bytes, version: str) -> Analysis | KnownRecording | None:
    """Return None if there is no daemon with this encoder, or it cannot hear now. Raises AudioError."""
    from musrecd.daemon import client

    try:
        return client.hear(config.library, path, version)
    except AudioError:
        raise
    except MusrecError:
        return None  # it is ending, or has no workers: what is wrong shows itself here, too


def _analyse(config: Config, path: bytes) -> Analysis:
    from musrecd.analysis.analyse import analyse
    from musrecd.analysis.card import SHIPPED_WEIGHTS
    from musrecd.analysis.encoder import load_encoder

    return analyse(path, load_encoder(config.encoder or SHIPPED_WEIGHTS, config.coverage))


def _store(library: Path, path: bytes, heard: Analysis | KnownRecording) -> None:
    from musrecd.ingest.ingest import task_for
    from musrecd.ingest.tags import read_tags
    from musrecd.library.store import Library

    file, tags = task_for(path).file, read_tags(path)
    with Library.open(library) as writer:
        if isinstance(heard, Analysis):
            writer.add(file, heard, tags)
        else:
            writer.attach(file, heard.audio_id, tags)


def _nearest(
    config: Config,
    reader: LibraryReader,
    info: EncoderInfo,
    embeddings: FloatArray,
    seeds: tuple[list[int], set[str]],
) -> list[Result]:
    recording_ids, audio_ids = seeds
    known = recording_ids + reader.recordings_of(audio_ids)
    own_rows = reader.rows_of(known, info.version).values()
    ranked = nearest(
        reader.vectors(info.version), mean_direction(embeddings), without=own_rows, min_score=config.min_score
    )
    found: list[tuple[Track, float]] = []
    while len(found) < config.number and (look := list(islice(ranked, config.number))):
        tracks = reader.tracks_in_rows([match.row for match in look], info.version)
        found += [(tracks[match.row][0], match.score) for match in look if tracks[match.row]]
    found = found[: config.number]
    probabilities = reader.probabilities([track.recording_id for track, _ in found], info.version)
    # A neighbour whose analysis is damaged is shown without a genre; its place may be right all the same.
    genres = {number: most_probable(p, info.labels, number=1) for number, p in probabilities.items()}
    return [
        Result(track, score, next(iter(genres.get(track.recording_id, ())), Prediction("", 0.0)))
        for track, score in found
    ]


def _name(track: Track) -> str:
    tags = track.tags
    return " - ".join(filter(None, (tags.artist, tags.title))) if tags.title else os.fsdecode(track.path)


def to_dict(answer: Answer) -> dict[str, Any]:
    """Return the answer for `--json`; paths that are no text keep their bytes as `\\udcXX`."""
    results = [
        {
            "score": round(result.score, 4),
            "path": os.fsdecode(result.track.path),
            "artist": result.track.tags.artist,
            "title": result.track.tags.title,
            "album": result.track.tags.album,
            "length": round(result.track.duration_s, 2),
            "genre": result.genre.name,
            "genre_probability": round(result.genre.probability, 4),
        }
        for result in answer.results
    ]
    return {"seeds": answer.seeds, "results": results}


def show(answer: Answer) -> None:
    """Print the answer as a table."""
    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else _WIDE)
    named = ", ".join(printable(seed) for seed in answer.seeds[:_SHOWN_SEEDS])
    more = len(answer.seeds) - _SHOWN_SEEDS
    console.print(Text(f"Sounds like {named}" + (f" and {counted(more, 'other')}" if more > 0 else ""), style="bold"))
    if not answer.results:
        console.print("Nothing else in the library is as close as was asked for.")
        return
    rows = [_cells(result) for result in answer.results]
    artist_width, title_width = _widths(rows, console.width)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in _COLUMNS.items():
        table.add_column(name, justify=justify, no_wrap=True)
    for score, artist, title, length, genre in rows:
        words = (Text(artist), Text(title))
        for text, width in zip(words, (artist_width, title_width), strict=True):
            text.truncate(width, overflow="ellipsis")
        table.add_row(score, *words, length, Text(genre, style="dim"))
    console.print(table)


def _cells(result: Result) -> tuple[str, ...]:
    tags = result.track.tags
    return (
        f"{result.score:.2f}",
        printable(tags.artist),
        printable(tags.title) or printable_path(os.path.basename(result.track.path)),
        clock(result.track.duration_s),
        f"{result.genre.name} {result.genre.probability:.0%}" if result.genre.name else "",
    )


def _widths(rows: list[tuple[str, ...]], width: int) -> tuple[int, int]:
    """Give artist and title what the other columns leave of a line, the artist at most two fifths of it."""
    _, artist, title, _, _ = longest = [
        max(cell_len(cell) for cell in column) for column in zip(tuple(_COLUMNS), *rows, strict=True)
    ]
    left = max(2 * _NARROW, width - (sum(longest) - artist - title) - 2 * len(longest))
    if artist + title <= left:
        return artist, title
    artist = min(artist, max(left * 2 // 5, left - title))
    return artist, left - artist
