"""Grooves of exactly known tempo for a General MIDI synthesiser: drums or none, straight or swung, in or out of tune.

Needs what `synthesis/midi.py` needs: the FluidSynth library and sound fonts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import soxr

from model_training.synthesis.patterns import STEPS_PER_BEAT
from musrecd.types import FloatArray

if TYPE_CHECKING:
    from fluidsynth import Synth


_SYNTH_SR = 32_000
_DRUMS, _BASS, _CHORDS, _MELODY = 9, 0, 1, 2
_KICK, _SNARE, _RIM, _CLOSED, _OPEN, _RIDE, _SHAKER = 36, 38, 37, 42, 46, 51, 70
_BASSES = (32, 33, 34, 36, 38, 39)
_CHORDERS = (0, 4, 6, 16, 24, 25, 27, 29, 48, 61, 81, 90)
_LEADERS = (0, 11, 22, 26, 40, 56, 65, 66, 73, 80)
_PROGRESSIONS = ((0, 5, 7, 0), (0, 9, 5, 7), (0, 7, 9, 5), (0, 10, 5, 0), (2, 7, 0, 0), (0, 0, 5, 7))
_MINOR = (2, 9)
_DRUMS_SHARE = 0.65
_MELODY_SHARE = 0.6

# Channel, pitch, length in beats, velocity.
_Note: TypeAlias = tuple[int, int, float, int]
# Beat, channel, pitch, velocity; a velocity of 0 ends a note.
_Event: TypeAlias = tuple[float, int, int, int]


@dataclass(frozen=True, slots=True)
class Groove:
    """A way to play: tempi in BPM, patterns of sixteenths for a bar, where swung offbeats fall (0.5 is straight)."""

    bpm: tuple[int, int]
    drums: dict[int, tuple[str, ...]]
    bass: tuple[str, ...]
    chords: tuple[str, ...]
    swing: float = 0.5


GROOVES = {
    "rock": Groove(
        (84, 172),
        {
            _KICK: ("x.......x.......", "x.....x.x.......", "x..x..x.x.x....."),
            _SNARE: ("....x.......x...",),
            _CLOSED: ("x.x.x.x.x.x.x.x.", "x...x...x...x..."),
        },
        ("x.x.x.x.x.x.x.x.", "x.......x.....x.", "x..x..x.x..x..x."),
        ("x...............", "x..x..x.x..x..x.", "x...x...x...x..."),
    ),
    "disco": Groove(
        (106, 134),
        {
            _KICK: ("x...x...x...x...",),
            _SNARE: ("....x.......x...",),
            _OPEN: ("..x...x...x...x.",),
            _CLOSED: ("x.xxx.xxx.xxx.xx", "x.x.x.x.x.x.x.x."),
        },
        ("x.x.x.x.x.x.x.x.", "x..x..x.x..x..x."),
        ("..x...x...x...x.", "x...............", "..x..x....x..x.."),
    ),
    "hip hop": Groove(
        (74, 108),
        {
            _KICK: ("x..x......x.....", "x.....x..xx.....", "x.x.......x..x.."),
            _SNARE: ("....x.......x...",),
            _CLOSED: ("x.x.x.x.x.x.x.x.", "x.xxx.x.x.xxx.x."),
        },
        ("x..x......x.....", "x.....x...x..x.."),
        ("x...............", "x.......x......."),
        0.56,
    ),
    "swing": Groove(
        (104, 216),
        {_RIDE: ("x...x.x.x...x.x.",), _CLOSED: ("....x.......x...",), _KICK: ("x...............", "................")},
        ("x...x...x...x...",),
        ("x.....x.........", "..........x.....", "x...............", "..x.......x....."),
        0.64,
    ),
    "reggae": Groove(
        (62, 92),
        {
            _KICK: ("........x.......", "x.......x.......", "x...x...x...x..."),
            _RIM: ("........x.......", "....x.......x..."),
            _CLOSED: ("x.x.x.x.x.x.x.x.", "..x...x...x...x."),
        },
        ("x..x..x.x.......", "x.....x.x..x...."),
        ("..x...x...x...x.", "....x.......x..."),
        0.53,
    ),
    "ballad": Groove(
        (54, 92),
        {
            _KICK: ("x.......x.x.....", "x.......x......."),
            _SNARE: ("....x.......x...",),
            _CLOSED: ("x.x.x.x.x.x.x.x.",),
        },
        ("x.......x.......", "x.....x.x......."),
        ("x.x.x.x.x.x.x.x.", "x...............", "x...x...x...x..."),
    ),
    "waltz": Groove(
        (84, 196),
        {_KICK: ("x...........",), _CLOSED: ("....x...x...",)},
        ("x...........",),
        ("....x...x...", "....x...x.x."),
    ),
    "country": Groove(
        (84, 140),
        {
            _KICK: ("x.......x.......",),
            _SNARE: ("....x.......x...", "..x.x.x...x.x.x."),
            _CLOSED: ("x.x.x.x.x.x.x.x.",),
        },
        ("x.......x.......",),
        ("....x.......x...", "..x.x.x...x.x.x."),
    ),
    "latin": Groove(
        (84, 130),
        {
            _SHAKER: ("x.xxx.xxx.xxx.xx",),
            _RIM: ("x..x..x...x.x...", "..x.x...x..x..x."),
            _KICK: ("x...x...x...x...", "x..xx..xx..xx..x"),
        },
        ("x..xx..xx..xx..x", "...x..x....x..x."),
        ("x..x..x.x..x..x.", "..x..x....x..x.."),
    ),
    "fast": Groove(
        (150, 216),
        {
            _KICK: ("x.......x.......", "x...x...x...x..."),
            _SNARE: ("....x.......x...",),
            _CLOSED: ("x...x...x...x...", "x.x.x.x.x.x.x.x."),
        },
        ("x.x.x.x.x.x.x.x.", "x...x...x...x..."),
        ("x...x...x...x...", "x..............."),
    ),
}


@dataclass(frozen=True, slots=True)
class _Harmony:
    tonic: int
    roots: tuple[int, ...]

    def chord(self, bar: int) -> tuple[int, int, int]:
        """Root, third and fifth of a bar, from 0 to 11."""
        above = self.roots[bar % len(self.roots)]
        third = 3 if above in _MINOR else 4
        root, middle, fifth = ((self.tonic + above + interval) % 12 for interval in (0, third, 7))
        return root, middle, fifth


@dataclass(frozen=True, slots=True)
class Played:
    """A rendered groove: `y` (n,), its tempo in BPM and its name."""

    y: FloatArray
    bpm: float
    name: str


def play_groove(seed: int, seconds: float, sr: int, fonts: Sequence[Path]) -> Played:
    """Play a groove drawn by `seed`: `seconds` of it, mono at `sr` Hz."""
    rng = np.random.default_rng([seed, 7])
    name = str(rng.choice(list(GROOVES)))
    groove = GROOVES[name]
    bpm = round(float(rng.uniform(*groove.bpm)), 2)
    n_beats = int(np.ceil(seconds * bpm / 60)) + 1
    events = _events(groove, n_beats, rng)
    synth = _synth(fonts[int(rng.integers(len(fonts)))])
    synth.system_reset()
    synth.get_samples(_SYNTH_SR)
    _choose_sounds(synth, rng)
    looseness_s = float(rng.choice([0.0, 0.004, 0.01]))
    loose = looseness_s * rng.standard_normal(len(events))
    timed = sorted(
        (max(0.0, beat * 60 / bpm + late), channel, pitch, velocity)
        for (beat, channel, pitch, velocity), late in zip(events, loose.tolist(), strict=True)
    )
    stereo = _performed(synth, timed, seconds).reshape(-1, 2).astype(np.float32) / 32768
    y: FloatArray = soxr.resample(stereo.mean(1), _SYNTH_SR, sr)
    return Played(y, bpm, name)


def _performed(synth: "Synth", events: Sequence[_Event], seconds: float) -> np.ndarray:
    """Interleaved stereo samples of events whose beats are seconds."""
    blocks, now = [], 0
    for time_s, channel, pitch, velocity in events:
        due = round(min(time_s, seconds) * _SYNTH_SR)
        blocks.append(synth.get_samples(due - now))
        now = due
        if velocity:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    blocks.append(synth.get_samples(max(0, round(seconds * _SYNTH_SR) - now)))
    return np.concatenate(blocks)


@lru_cache(maxsize=4)
def _synth(font: Path) -> "Synth":
    from fluidsynth import Synth

    synth = Synth(gain=0.4, samplerate=_SYNTH_SR, **{"synth.chorus.active": 0})
    synth.sfload(str(font))
    return synth


def _choose_sounds(synth: "Synth", rng: np.random.Generator) -> None:
    bend = int(rng.integers(-1600, 1600))
    for channel, programs in ((_BASS, _BASSES), (_CHORDS, _CHORDERS), (_MELODY, _LEADERS)):
        synth.program_select(channel, 1, 0, int(rng.choice(programs)))
        synth.pitch_bend(channel, bend)
    synth.program_select(_DRUMS, 1, 128, 0)


def _events(groove: Groove, n_beats: int, rng: np.random.Generator) -> list[_Event]:
    bass, chords = str(rng.choice(groove.bass)), str(rng.choice(groove.chords))
    has_drums = rng.random() < _DRUMS_SHARE
    drums = {drum: str(rng.choice(patterns)) for drum, patterns in groove.drums.items()} if has_drums else {}
    has_melody = rng.random() < _MELODY_SHARE
    harmony = _Harmony(int(rng.integers(12)), _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))])
    notes: list[tuple[int, _Note]] = []
    pitch = 72 + harmony.tonic
    for step in range(n_beats * STEPS_PER_BEAT):
        bar, at = divmod(step, len(bass))
        notes += [(step, (_DRUMS, drum, 0.2, 100 if at % 4 == 0 else 80)) for drum in drums if drums[drum][at] == "x"]
        if bass[at] == "x":
            notes.append((step, (_BASS, 36 + harmony.chord(bar)[0], 0.4, 100 if at == 0 else 86)))
        if chords[at] == "x":
            notes += [(step, (_CHORDS, 60 + tone, 0.5, 82)) for tone in harmony.chord(bar)]
        if has_melody and rng.random() < _melody_chance(at):
            pitch = int(np.clip(pitch + rng.choice([-4, -2, -1, 1, 2, 3]), 64, 86))
            notes.append((step, (_MELODY, pitch, float(rng.choice([0.4, 0.9])), 92 if at % 4 == 0 else 78)))
    return [event for step, note in notes for event in _on_and_off(_swung(step, groove.swing), note, rng)]


def _melody_chance(at: int) -> float:
    return 0.55 if at % 4 == 0 else 0.3 if at % 2 == 0 else 0.04


def _on_and_off(beat: float, note: _Note, rng: np.random.Generator) -> list[_Event]:
    channel, pitch, length, velocity = note
    return [
        (beat, channel, pitch, min(127, velocity + int(rng.integers(-8, 9)))),
        (beat + length, channel, pitch, 0),
    ]


def _swung(step: int, swing: float) -> float:
    """Beat of a step: offbeat eighths of swung music come late, sixteenths between them in proportion."""
    beat, within = divmod(step / STEPS_PER_BEAT, 1.0)
    return beat + (2 * swing * within if within <= 0.5 else 1 - 2 * (1 - swing) * (1 - within))
