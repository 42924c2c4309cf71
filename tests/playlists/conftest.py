"""A library of invented tracks: eight artists of five, each with a sound of its own."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from musrecd.config_playlists import PlaylistConfig, file_name
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, FileState, Label, Tags, Track

INFO = EncoderInfo("enc-1", 16, (Label("rock", "genre"),))
N_ARTISTS, N_TITLES = 8, 5


def artist(number: int) -> str:
    """Name an artist by what is in the name of no temporary folder."""
    return f"The {'abcdefgh'[number]}qx"


def title(number: int) -> str:
    return f"No{number:02d}qx"


def embedding(number: int) -> np.ndarray:
    artist = np.random.default_rng(number // N_TITLES).standard_normal(INFO.dim)
    vector = artist + 0.3 * np.random.default_rng(1000 + number).standard_normal(INFO.dim)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def invented_path(folder: Path, number: int) -> bytes:
    return bytes(folder / "music" / f"artist {number // N_TITLES}" / f"{number:02d}.flac")


def write_library(folder: Path) -> Path:
    """Write `library.db` into a folder, with tracks that seem to lie in `music` beside it."""
    with Library.open(folder / "library.db") as library:
        library.register_encoder(INFO)
        with library.at_once():
            for number in range(N_ARTISTS * N_TITLES):
                analysis = Analysis(f"{number:040x}", INFO.version, embedding(number), np.ones(1, np.float32), 100.0)
                tags = Tags(artist(number // N_TITLES), title(number), "Album")
                library.add(FileState(invented_path(folder, number), 1, 1), analysis, tags)
    return folder / "library.db"


@pytest.fixture
def path_of(tmp_path: Path) -> Callable[[int], bytes]:
    """Return a function: number of a track → its path."""
    return partial(invented_path, tmp_path)


@pytest.fixture
def library_path(tmp_path: Path) -> Path:
    return write_library(tmp_path)


@pytest.fixture
def reader(library_path: Path) -> Iterator[LibraryReader]:
    with LibraryReader.open(library_path) as reader:
        yield reader


@pytest.fixture
def make_list() -> Callable[..., PlaylistConfig]:
    """Return a function (name, *seeds, **keys) that makes the settings of a playlist."""
    return lambda name, *seeds, **keys: PlaylistConfig(name, file_name(name), seeds, **keys)


@pytest.fixture
def make_track() -> Callable[..., Track]:
    """Return a function (path, artist, title, seconds) that makes a track."""

    def track(path: bytes, artist: str = "Artist", title: str = "Title", seconds: float = 100.0) -> Track:
        return Track(path, 1, seconds, Tags(artist, title))

    return track
