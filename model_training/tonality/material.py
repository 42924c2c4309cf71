"""The music that keys are learnt from and measured on: three kinds, rendered, whose keys are known."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from model_training.synthesis.compose import compose
from model_training.synthesis.effects import worn
from model_training.synthesis.midi import load_midi
from model_training.synthesis.render import render_piece
from model_training.synthesis.styles import STYLES
from model_training.tonality.play import play_song, read_tune
from model_training.tonality.songs import invent
from musrecd.types import FloatArray

SR = 16_000
SECONDS = 20.0
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


def songs(numbers: range) -> Iterator[Rendered]:
    """Invent songs for General MIDI instruments; every fifth is for testing."""
    for i in numbers:
        song = invent(i, SECONDS)
        yield _finished("song", i, "", song.key, play_song(song, i, SECONDS, SR), is_test=i % _TEST_SHARE == 0)


def compositions(numbers: range) -> Iterator[Rendered]:
    """Compose pieces in the twelve styles of `synthesis` by turns; every fifth is for testing."""
    for i in numbers:
        style = list(STYLES)[i % len(STYLES)]
        y = render_piece(style, _FIRST_SEED + i, SECONDS, SR)
        key = compose(style, _FIRST_SEED + i, SECONDS).key
        yield _finished("rule", i, style, key, y, is_test=i % _TEST_SHARE == 0)


def tunes(folder: Path, numbers: range) -> Iterator[Rendered]:
    """Play traditional tunes (Nottingham) of which the file names one key; a third of the tunes are for testing."""
    paths = sorted(clip.path for clip in load_midi(folder) if clip.source == "midi:nottingham")
    for i in numbers:
        path = paths[i * _TUNE_STEP % len(paths)]
        if song := read_tune(path, i, SECONDS):
            y = play_song(song, i, SECONDS, SR)
            yield _finished("tune", i, path.stem, song.key, y, is_test=crc32(path.stem.encode()) % 3 == 0)


def _finished(kind: str, number: int, name: str, key: str, y: FloatArray, *, is_test: bool) -> Rendered:
    return Rendered(kind, number, name, key, worn(y, number), is_test)
