"""The music that keys are learnt from and measured on: three kinds, rendered, whose keys are known."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import crc32

from model_training.synthesis.compose import compose
from model_training.synthesis.effects import worn
from model_training.synthesis.kept import Shelf
from model_training.synthesis.midi import load_midi
from model_training.synthesis.render import render_piece
from model_training.synthesis.styles import STYLES
from model_training.tonality.bands import arrange
from model_training.tonality.play import play_song, read_tune
from model_training.tonality.songs import Song, invent
from musrecd.types import FloatArray

SR = 16_000
SECONDS = 30.0
_FIRST_SEED = 10_000
_TEST_SHARE = 5
_TUNE_STEP = 37


@dataclass(frozen=True, slots=True)
class Rendered:
    """A piece in a known key: `kind` is `song`, `rule` or `tune`; `number` makes it the same again."""

    kind: str
    number: int
    name: str
    key: str
    y: FloatArray
    is_test: bool


def play_invented(shelf: Shelf, seed: int, seconds: float, sr: int) -> tuple[Song, FloatArray]:
    """Invent a song and play it, (n,), mono at `sr` Hz."""
    song = invent(seed, seconds)
    return song, shelf.take(f"song/{seed}", sr, partial(_played, song, seed, seconds, sr))


def play_arranged(shelf: Shelf, seed: int, seconds: float, sr: int) -> tuple[Song, FloatArray]:
    """Arrange a song for a band and play it, (n,), mono at `sr` Hz."""
    song = arrange(seed, seconds)
    return song, shelf.take(f"band/{seed}", sr, partial(_played, song, seed, seconds, sr))


def songs(shelf: Shelf, numbers: range) -> Iterator[Rendered]:
    """Invent songs for General MIDI instruments; every fifth is for testing, as it is for tempo."""
    for i in numbers:
        song, y = play_invented(shelf, i, SECONDS, SR)
        yield Rendered("song", i, "", song.key, y, is_test=i % _TEST_SHARE == _TEST_SHARE - 1)


def bands(shelf: Shelf, numbers: range) -> Iterator[Rendered]:
    """Arrange songs for bands of General MIDI instruments; every fifth is for testing, as it is for tempo."""
    for i in numbers:
        song, y = play_arranged(shelf, i, SECONDS, SR)
        yield Rendered("band", i, "", song.key, y, is_test=i % _TEST_SHARE == _TEST_SHARE - 1)


def compositions(shelf: Shelf, numbers: range) -> Iterator[Rendered]:
    """Compose pieces in the twelve styles of `synthesis` by turns; every fifth is for testing."""
    for i in numbers:
        style = list(STYLES)[i % len(STYLES)]
        key = compose(style, _FIRST_SEED + i, SECONDS).key
        y = shelf.take(f"rule/{i}", SR, partial(_composition, style, i))
        yield Rendered("rule", i, style, key, y, is_test=i % _TEST_SHARE == 0)


def tunes(shelf: Shelf, folder: Path, numbers: range) -> Iterator[Rendered]:
    """Play traditional tunes (Nottingham) of which the file names one key; a third of the tunes are for testing."""
    paths = sorted(clip.path for clip in load_midi(folder) if clip.source == "midi:nottingham")
    for i in numbers:
        path = paths[i * _TUNE_STEP % len(paths)]
        if song := read_tune(path, i, SECONDS):
            y = shelf.take(f"tune/{i}", SR, partial(_played, song, i, SECONDS, SR))
            yield Rendered("tune", i, path.stem, song.key, y, is_test=crc32(path.stem.encode()) % 3 == 0)


def _played(song: Song, number: int, seconds: float, sr: int) -> FloatArray:
    return worn(play_song(song, number, seconds, sr), number)


def _composition(style: str, number: int) -> FloatArray:
    return worn(render_piece(style, _FIRST_SEED + number, SECONDS, SR), number)
