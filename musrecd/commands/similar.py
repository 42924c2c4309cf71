"""`musrecd similar`: what in the library sounds like a file, or like tracks found by words."""

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from musrecd.asking.ask import LibraryCatalogue, Told, ask, seeds_of
from musrecd.asking.question import Question
from musrecd.asking.way import way
from musrecd.commands.outside import STANDARD_INPUT, seeds_of_file
from musrecd.config import Config
from musrecd.errors import LibraryError, MusrecError
from musrecd.library.reader import LibraryReader
from musrecd.recommend.asking import Seed
from musrecd.tagging.predict import Prediction, most_probable
from musrecd.types import EncoderInfo, Track


@dataclass(frozen=True, slots=True)
class About:
    """What a question is about, as a person named it: files, in the library or not, and words.

    `unlike` are not to be sounded like; only what `inside` words find may be a result; with `to` it is the way there
    that is asked for.
    """

    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One similar track, why, and the genre it sounds most like."""

    track: Track
    told: Told
    genre: Prediction


@dataclass(frozen=True, slots=True)
class Answer:
    """The seeds as a person knows them, what sounds like them, best first, and what has to be said of it."""

    seeds: list[str]
    found: list[Found]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Sought:
    """Tracks of the library, and what was heard outside it, each under the name it is shown by."""

    seeds: list[Seed]
    names: list[str]


def similar_to(config: Config, about: About, question: Question, *, store: bool = False) -> Answer:
    """Answer for files (in the library or not) and words.

    Raises LibraryError, AudioError, EncoderError, or MusrecError if the words match nothing.
    """
    with LibraryReader.open(config.library) as reader:
        info = _encoder(reader)
    wanted = (about.like, 1.0), (about.files, 1.0), (about.unlike, -1.0), ((about.to,) if about.to else (), 1.0)
    like, files, unlike, end = (_sought(config, info, names, weight, store=store) for names, weight in wanted)
    with LibraryReader.open(config.library) as reader:
        catalogue = LibraryCatalogue(reader, info.version)
        pool = _pool(reader, info.version, about.inside)
        seeds = like.seeds + files.seeds
        if about.to:
            answer = way(reader, info, (seeds, end.seeds), question, catalogue, pool)
        else:
            answer = ask(reader, info, seeds + unlike.seeds, question, catalogue, pool)
        found = _found(reader, info, catalogue, answer.told)
    _note_suggested(config, question, found)
    return Answer(like.names + files.names + end.names, found, answer.notes)


def by_chance(config: Config) -> str:
    """Return the path of any track that can be asked about."""
    with LibraryReader.open(config.library) as reader:
        info = reader.encoder()
        paths = sorted(reader.analysed_paths(info.version)) if info else []
    if not paths:
        raise LibraryError("the library is empty; run `musrecd scan FOLDER` first")
    return os.fsdecode(random.choice(paths))  # noqa: S311


def _encoder(reader: LibraryReader) -> EncoderInfo:
    if (info := reader.encoder()) is None:
        raise LibraryError("the library is empty; run `musrecd scan FOLDER` first")
    return info


def _sought(config: Config, info: EncoderInfo, names: Sequence[str], weight: float, *, store: bool) -> _Sought:
    """Find files in the library, or hear them; what is no file is words."""
    files = [name for name in names if name == STANDARD_INPUT or os.path.lexists(name)]
    words = " ".join(name for name in names if name not in files)
    with LibraryReader.open(config.library) as reader:
        tracks = tracks_by_words(reader, info.version, words) if words else []
        inside = reader.tracks_at([os.path.abspath(os.fsencode(file)) for file in files], info.version)
        tracks += inside.values()
        seeds = seeds_of(reader, info, tracks, weight=weight) if tracks else []
    outside = [file for file in files if os.path.abspath(os.fsencode(file)) not in inside]
    # Hearing takes long; nobody holds the library open meanwhile.
    for file in outside:
        seeds += seeds_of_file(config, info, file, weight=weight, store=store)
    return _Sought(seeds, [*dict.fromkeys(map(name_of, tracks)), *outside])


def tracks_by_words(reader: LibraryReader, version: str, words: str) -> list[Track]:
    """Find analysed tracks. Raises MusrecError if there are none."""
    found = reader.find(words)
    analysed = reader.tracks_at([track.path for track in found], version)
    if not analysed:
        raise MusrecError(
            f"{words!r} is neither a file nor in the path, artist, title or album of any track in the library"
        )
    return list(analysed.values())


def _pool(reader: LibraryReader, version: str, words: Sequence[str]) -> np.ndarray | None:
    if not words:
        return None
    tracks = tracks_by_words(reader, version, " ".join(words))
    rows = reader.rows_of((track.recording_id for track in tracks), version)
    return np.fromiter(rows.values(), np.int64, len(rows))


def _found(reader: LibraryReader, info: EncoderInfo, catalogue: LibraryCatalogue, told: Iterable[Told]) -> list[Found]:
    tracks = [(catalogue.tracks[each.result.row], each) for each in told]
    probabilities = reader.probabilities([track.recording_id for track, _ in tracks], info.version)
    # A neighbour whose analysis is damaged is shown without a genre; its place may be right all the same.
    genres = {number: most_probable(p, info.labels, number=1) for number, p in probabilities.items()}
    return [
        Found(track, each, next(iter(genres.get(track.recording_id, ())), Prediction("", 0.0)))
        for track, each in tracks
    ]


def _note_suggested(config: Config, question: Question, found: Sequence[Found]) -> None:
    """Remember what was shown, for those who want something new next time."""
    if question.choice.fresh and found:
        from musrecd.library.suggestions import note_suggested

        note_suggested(config.library, [each.track.recording_id for each in found])


def name_of(track: Track) -> str:
    """Name a track as a person knows it."""
    tags = track.tags
    return " - ".join(filter(None, (tags.artist, tags.title))) if tags.title else os.fsdecode(track.path)
