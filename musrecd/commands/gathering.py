"""What is known of the tracks in lists: from the library, and heard on the spot where it knows nothing."""

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.commands.progress import ProgressBar
from musrecd.config import Config
from musrecd.display import printable, printable_path
from musrecd.ingest.ingest import task_for
from musrecd.ingest.pool import Workers
from musrecd.ingest.work import Task, WorkerSettings
from musrecd.library.encoding import fold
from musrecd.library.reader import LibraryReader
from musrecd.playlists.reading import Entry
from musrecd.types import Analysis, EncoderInfo, FloatArray, KnownRecording, Tags, Track


@dataclass(frozen=True, slots=True)
class Known:
    """A track of a list; `embedding` (dim,) and `probabilities` (n_labels,) are those of the encoder in use.

    `duration_s` is None where nobody looked.
    """

    path: bytes
    audio_id: str
    tags: Tags
    duration_s: float | None
    embedding: FloatArray
    probabilities: FloatArray

    @property
    def name(self) -> str:
        """What a person knows it by, safe to show."""
        tags = self.tags
        name = " – ".join(filter(None, (tags.artist, tags.title))) if tags.title else ""
        return printable(name) or printable_path(os.path.basename(self.path))


@dataclass(slots=True)
class Gathered:
    """All that is known of lists of entries: by path, and the path of each entry that could be found."""

    info: EncoderInfo
    tracks: dict[bytes, Known] = field(default_factory=dict)
    paths: dict[Entry, bytes] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def of(self, entries: Iterable[Entry]) -> list[Known]:
        """Return the tracks of a list, in its order, each once."""
        paths = dict.fromkeys(self.paths[entry] for entry in entries if entry in self.paths)
        return [self.tracks[path] for path in paths if path in self.tracks]


def gather(config: Config, entries: Sequence[Entry]) -> Gathered:
    """Find out about all entries, with a progress bar if some have to be heard; nothing is stored.

    What fails is named on standard error and among the failures. Raises EncoderError, LibraryError.
    """
    weights = config.encoder or SHIPPED_WEIGHTS
    gathered = Gathered(read_card(weights, config.coverage).info)
    with ExitStack() as stack:
        bar = ProgressBar("Listening")
        reader = _reader(config)
        if reader is not None:
            stack.enter_context(reader)
        _find(reader, entries, gathered, bar)
        wanted = list(dict.fromkeys(gathered.paths.values()))
        if reader is not None:
            inside = reader.tracks_at(wanted, gathered.info.version)
            _take(reader, list(inside.values()), gathered)
        tasks = [task_for(path) for path in wanted if path not in gathered.tracks]
        if tasks:
            settings = WorkerSettings(weights, config.library if reader is not None else None)
            n_workers = min(config.threads, len(tasks))
            stack.enter_context(bar)
            workers = stack.enter_context(Workers(settings, n_workers, config.timeout_s))
            _hear(workers, tasks, reader, gathered, bar)
    return gathered


def _reader(config: Config) -> LibraryReader | None:
    """Open the library if there is one: without, everything is heard."""
    return LibraryReader.open(config.library) if config.library.exists() else None


def _find(reader: LibraryReader | None, entries: Sequence[Entry], gathered: Gathered, bar: ProgressBar) -> None:
    """Find the file of each entry: the one it names, or else one of the library that is called so."""
    for entry in dict.fromkeys(entries):
        if entry.path is not None and os.path.lexists(entry.path):
            gathered.paths[entry] = entry.path
        elif entry.name and reader is not None and (path := _by_name(reader, entry.name)) is not None:
            gathered.paths[entry] = path
        elif entry.path is not None:
            _fail(gathered, bar, entry.path, "there is no such file")
        else:
            _fail(gathered, bar, entry.name.encode("utf-8", "replace"), "no track of the library is called so")


def _fail(gathered: Gathered, bar: ProgressBar, name: bytes, message: str) -> None:
    bar.problem(name, message)
    gathered.failures[os.fsdecode(name)] = message


def _by_name(reader: LibraryReader, name: str) -> bytes | None:
    """Return the file of a track called `Artist - Title`; if several contain these words, the one called just so."""
    words = " ".join(part for part in name.split() if part not in ("-", "–", "—"))
    found = reader.find(words)
    called = [
        track for track in found if fold(f"{track.tags.artist} {track.tags.title}").split() == fold(words).split()
    ]
    return next((track.path for track in [*called, *found]), None)


def _take(reader: LibraryReader, tracks: Sequence[Track], gathered: Gathered) -> None:
    """Take from the library what it knows; a damaged analysis is as none."""
    version = gathered.info.version
    probabilities = reader.probabilities([track.recording_id for track in tracks], version) if tracks else {}
    sound = [track for track in tracks if track.recording_id in probabilities]
    numbers = [track.recording_id for track in sound]
    embeddings = reader.embeddings(numbers, version) if sound else ()
    audio_ids = reader.audio_ids(numbers)
    for track, embedding in zip(sound, embeddings, strict=True):
        number = track.recording_id
        gathered.tracks[track.path] = Known(
            track.path, audio_ids[number], track.tags, track.duration_s, embedding, probabilities[number]
        )


def _hear(
    workers: Workers, tasks: Sequence[Task], reader: LibraryReader | None, gathered: Gathered, bar: ProgressBar
) -> None:
    listener = bar.listener()
    listener.on_total(len(tasks))
    for outcome in workers.perform(tasks):
        path, heard = outcome.file.path, outcome.heard
        if isinstance(heard, Analysis):
            gathered.tracks[path] = Known(
                path, heard.audio_id, outcome.tags, heard.duration_s, heard.embedding, heard.probabilities
            )
        elif isinstance(heard, KnownRecording) and reader is not None:
            _take_copy(reader, path, outcome.tags, heard.audio_id, gathered)
        if path not in gathered.tracks:
            gathered.failures[os.fsdecode(path)] = outcome.message or "its analysis in the library is damaged"
        listener.on_outcome(outcome)


def _take_copy(reader: LibraryReader, path: bytes, tags: Tags, audio_id: str, gathered: Gathered) -> None:
    """Take what the library knows of the recording that another file holds, too."""
    version = gathered.info.version
    (number,) = reader.recordings_of([audio_id])
    probabilities = reader.probabilities([number], version)
    if number in probabilities:
        embedding = reader.embeddings([number], version)[0]
        gathered.tracks[path] = Known(path, audio_id, tags, None, embedding, probabilities[number])
