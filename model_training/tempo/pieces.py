"""Music whose tempo is known: composed by rule, grooves and songs on General MIDI sounds, MIDI files, and recordings.

Nobody tapped along with the recordings: `clips.csv` lists those on which two published methods agree within 4 %, octave
included (Percival & Tzanetakis 2014; Zapata, Davies & Gómez 2014, both as in Essentia). They stand in for truth about
which octave people tap in real music, which rendered music cannot tell. Rap faster than
125 BPM is listed at half of it: they double it more often than people do. An artist is either tested or trained on.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from zlib import crc32

import mido
import numpy as np
from scipy.signal import lfilter

from model_training.datasets.base import Clip
from model_training.synthesis.compose import compose
from model_training.synthesis.kept import Shelf
from model_training.synthesis.midi import play
from model_training.synthesis.render import render
from model_training.synthesis.styles import STYLES
from model_training.tempo.grooves import play_groove, sketch_groove
from model_training.tonality.material import play_arranged, play_invented
from model_training.tonality.songs import DRUMS, Song
from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.types import FloatArray

_LISTED = Path(__file__).with_name("clips.csv")
_RETIMED = (0.85, 1.2)
# Every fifth piece is kept for measuring and never trained on.
_TEST_EVERY = 5
_QUARTER_BPM = 120.0  # of a MIDI file that says nothing
_TUNES = "midi:nottingham"
# A drummer tells the beat at any tempo.
_RETIMED_DRUMMED, _RETIMED_ELSE = 1.35, 1.12
_TAPPED_BPM = (68, 146)


@dataclass(frozen=True, slots=True)
class TempoPiece:
    """Sound `y` (n,) of known tempo in BPM, 0 for none.

    It would have the same beat if it were played up to `retimed` times as fast, or as slowly.
    """

    y: FloatArray
    bpm: float
    name: str
    source: str
    retimed: float = 1.15


def composed(shelf: Shelf, n_each: int, seconds: float, sr: int, *, is_test: bool) -> Iterator[TempoPiece]:
    """Pieces in the twelve styles of `synthesis`, every second one a little faster or slower than is usual."""
    for seed in _seeds(n_each, is_test):
        for style in STYLES:
            piece = replace(compose(style, 50_000 + seed, 2 * seconds), seconds=seconds)
            rng = np.random.default_rng([crc32(style.encode()), seed])
            if seed % 2:
                piece = replace(piece, tempo_bpm=piece.tempo_bpm * float(rng.uniform(*_RETIMED)))
            name = f"{style}/{seed}"
            y = shelf.take(f"composed/{name}", sr, partial(render, piece, sr))
            yield TempoPiece(y, piece.tempo_bpm, name, "composed")


def grooves(
    shelf: Shelf, n: int, seconds: float, sr: int, fonts: Sequence[Path], *, is_test: bool
) -> Iterator[TempoPiece]:
    """Grooves of `grooves.py`."""
    for seed in _seeds(n, is_test):
        sketch = sketch_groove(seed)
        y = shelf.take(f"groove/{seed}", sr, partial(play_groove, sketch, seconds, sr, fonts))
        retimed = _RETIMED_DRUMMED if sketch.groove.at_any_tempo and sketch.groove.drummed == 1 else _RETIMED_ELSE
        yield TempoPiece(y, sketch.bpm, f"{sketch.name}/{seed}", "groove", retimed)


def songs(shelf: Shelf, n: int, seconds: float, sr: int, *, is_test: bool) -> Iterator[TempoPiece]:
    """Songs that were invented for learning keys: their drummers know other patterns, their tempi are any.

    Those without drums are left out if they are so slow or fast that people would tap another tempo.
    """
    for seed in _seeds(n, is_test):
        song, y = play_invented(shelf, seed, seconds, sr)
        if _is_drummed(song) or _TAPPED_BPM[0] <= song.bpm <= _TAPPED_BPM[1]:
            yield TempoPiece(y, song.bpm, f"song/{seed}", "song", _retiming(song))


def bands(shelf: Shelf, n: int, seconds: float, sr: int, *, is_test: bool) -> Iterator[TempoPiece]:
    """Songs arranged for bands, by the habits of their styles."""
    for seed in _seeds(n, is_test):
        song, y = play_arranged(shelf, seed, seconds, sr)
        yield TempoPiece(y, song.bpm, f"band/{seed}", "band", _retiming(song))


def _is_drummed(song: Song) -> bool:
    return any(note.channel == DRUMS for note in song.notes)


def _retiming(song: Song) -> float:
    return _RETIMED_DRUMMED if _is_drummed(song) else _RETIMED_ELSE


def midi_files(
    shelf: Shelf, clips: Sequence[Clip], sr: int, fonts: Sequence[Path], *, is_test: bool
) -> Iterator[TempoPiece]:
    """MIDI files of one tempo. In 6, 9 and 12 eighths three of them are a beat."""
    for clip in clips:
        bpm = _bpm(clip.path)
        if bpm is not None and (crc32(clip.path.stem.encode()) % _TEST_EVERY == _TEST_EVERY - 1) == is_test:
            y = shelf.take(clip.name, sr, partial(play, clip, sr, fonts))
            # Most of these files say nothing of their tempo, so they are retimed most.
            retimed = _RETIMED_DRUMMED if clip.source == _TUNES else _RETIMED_ELSE
            yield TempoPiece(y, bpm, clip.name, clip.source, retimed)


def noises(n: int, seconds: float, sr: int) -> Iterator[TempoPiece]:
    """Noise of different colours, and strokes at random: nothing of it has a tempo."""
    for seed in range(n):
        rng = np.random.default_rng([seed, 3])
        y = rng.standard_normal(round(seconds * sr))
        if seed % 2:
            y *= 0.01 + (rng.random(len(y)) < rng.uniform(2, 12) / sr)
            y = lfilter([1.0], [1.0, -0.995], y)
        y = lfilter([1.0], [1.0, -rng.uniform(0.0, 0.97)], y)
        yield TempoPiece((0.3 * y / np.abs(y).max()).astype(np.float32), 0.0, f"noise/{seed}", "noise", 1.0)


def listed_clips(data: Path, sr: int, *, is_test: bool) -> Iterator[TempoPiece]:
    """Decode the recordings of `clips.csv`, from the folder of clips that the encoder is trained on, too."""
    with _LISTED.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if (row["is_test"] == "1") != is_test:
                continue
            with listen(str(data / "clips" / row["path"]), ExcerptPlan()) as recording:
                y = np.concatenate(recording.decode(sr))
            yield TempoPiece(y, float(row["bpm"]), row["path"], "clips", 1.06)


def _seeds(n: int, is_test: bool) -> list[int]:
    return [seed for seed in range(n) if (seed % _TEST_EVERY == _TEST_EVERY - 1) == is_test]


def _bpm(path: Path) -> float | None:
    messages = list(mido.merge_tracks(mido.MidiFile(path, clip=True).tracks))
    tempi = {message.tempo for message in messages if message.type == "set_tempo"}
    meters = {(message.numerator, message.denominator) for message in messages if message.type == "time_signature"}
    if len(tempi) > 1 or len(meters) > 1:
        return None
    quarter_bpm = float(mido.tempo2bpm(tempi.pop())) if tempi else _QUARTER_BPM
    numerator, denominator = meters.pop() if meters else (4, 4)
    if denominator == 8 and numerator in (6, 9, 12):
        return quarter_bpm * 2 / 3
    return quarter_bpm if denominator == 4 else None
