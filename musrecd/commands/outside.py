"""Files that are asked about and are in no library: heard on the spot, by the daemon's warm worker or here."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from musrecd.asking.ask import seed_of, seeds_of
from musrecd.config import Config
from musrecd.display import printable_path
from musrecd.errors import AudioError, LibraryError, MusrecError
from musrecd.library.reader import LibraryReader
from musrecd.recommend.asking import Seed
from musrecd.types import Analysis, EncoderInfo, KnownRecording

STANDARD_INPUT = "-"


@contextmanager
def as_file(name: str) -> Iterator[str]:
    """Give a file's name; what comes from standard input (`-`) is a file as long as that."""
    if name != STANDARD_INPUT:
        yield name
        return
    with tempfile.NamedTemporaryFile(prefix="musrec-", suffix=".audio") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield file.name


def seeds_of_file(
    config: Config, info: EncoderInfo, name: str, *, weight: float = 1.0, store: bool = False
) -> list[Seed]:
    """Hear a file and make a seed of it; of a recording that the library has, with its place there.

    Raises what `hear` raises.
    """
    from musrecd.ingest.tags import read_tags

    with as_file(name) as file:
        heard = hear(config, file, info, store=store and name != STANDARD_INPUT)
        tags = read_tags(os.fsencode(file))
    with LibraryReader.open(config.library) as reader:
        rows = reader.rows_of(reader.recordings_of([heard.audio_id]), info.version)
        files = reader.tracks_in_rows(list(rows.values()), info.version)
        if known := [tracks[0] for tracks in files.values() if tracks]:
            return seeds_of(reader, info, known, weight=weight)
    if not isinstance(heard, Analysis):
        raise LibraryError(f"{printable_path(name)} is known, but its files are gone; run `musrecd scan` with it first")
    return [seed_of(heard, tags, weight=weight)]


def hear(config: Config, file: str, info: EncoderInfo, *, store: bool = False) -> Analysis | KnownRecording:
    """Hear a file as the library's encoder `info` would, and keep that if told to.

    Raises AudioError that names the file, LibraryError if the encoder in use is another one, EncoderError.
    """
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
