"""Grooves of exactly known tempo for a General MIDI synthesiser: drums or none, straight or swung, in or out of tune.

Needs what `synthesis/midi.py` needs: the FluidSynth library and sound fonts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import soxr

from model_training.synthesis.effects import worn
from model_training.tempo.kinds import GROOVES, KICK, SNARE, Groove
from musrecd.types import FloatArray

if TYPE_CHECKING:
    from fluidsynth import Synth


_SYNTH_SR = 32_000
_DRUMS, _BASS, _CHORDS, _MELODY = 9, 0, 1, 2
_VOLUME = 7
_PROGRESSIONS = ((0, 5, 7, 0), (0, 9, 5, 7), (0, 7, 9, 5), (0, 10, 5, 0), (2, 7, 0, 0), (0, 0, 5, 7), (0, 0, 0, 0))
_MINOR = (2, 9)
_MELODY_SHARE = 0.6
# Whoever writes notes for a computer takes any tempo that pleases: these pieces are not in the usual one.
_ANY_TEMPO_SHARE = 0.5
_ANY_BPM = (56, 200)
_FILL_SHARE = 0.5
_LATE_DRUMS_SHARE = 0.15

# Channel, pitch, length in beats, velocity.
_Note: TypeAlias = tuple[int, int, float, int]
# Beat, channel, pitch, velocity; a velocity of 0 ends a note.
_Event: TypeAlias = tuple[float, int, int, int]


@dataclass(frozen=True, slots=True)
class _Harmony:
    tonic: int
    roots: tuple[int, ...]
    bars_each: float

    def chord(self, bar: float) -> tuple[int, int, int]:
        """Root, third and fifth at a bar, from 0 to 11."""
        above = self.roots[int(bar / self.bars_each) % len(self.roots)]
        third = 3 if above in _MINOR else 4
        root, middle, fifth = ((self.tonic + above + interval) % 12 for interval in (0, third, 7))
        return root, middle, fifth


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is known of a groove before it is played: its kind, its tempo in BPM, and the seed of all else."""

    name: str
    groove: Groove
    bpm: float
    seed: int


def sketch_groove(seed: int) -> Sketch:
    """Draw a groove. At an unusual tempo it has drums, which tell the beat."""
    rng = np.random.default_rng([seed, 11])
    name = str(rng.choice(list(GROOVES)))
    groove = GROOVES[name]
    if groove.at_any_tempo and rng.random() < _ANY_TEMPO_SHARE:
        return Sketch(name, replace(groove, drummed=1.0), round(float(rng.uniform(*_ANY_BPM)), 2), seed)
    return Sketch(name, groove, round(float(rng.uniform(*groove.bpm)), 2), seed)


def play_groove(sketch: Sketch, seconds: float, sr: int, fonts: Sequence[Path]) -> FloatArray:
    """Play `seconds` of a groove, (n,), mono at `sr` Hz."""
    groove, bpm = sketch.groove, sketch.bpm
    rng = np.random.default_rng([sketch.seed, 12])
    n_beats = int(np.ceil(seconds * bpm / 60)) + 1
    events = _events(groove, n_beats, rng)
    synth = _synth(fonts[int(rng.integers(len(fonts)))])
    synth.system_reset()
    synth.get_samples(_SYNTH_SR)
    _choose_sounds(synth, groove, rng)
    looseness_s = float(rng.choice([0.0, 0.004, 0.01]))
    loose = looseness_s * rng.standard_normal(len(events))
    timed = sorted(
        (max(0.0, beat * 60 / bpm + late), channel, pitch, velocity)
        for (beat, channel, pitch, velocity), late in zip(events, loose.tolist(), strict=True)
    )
    stereo = _performed(synth, timed, seconds).reshape(-1, 2).astype(np.float32) / 32768
    y: FloatArray = soxr.resample(stereo.mean(1), _SYNTH_SR, sr)
    return worn(y, sketch.seed)


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


def _choose_sounds(synth: "Synth", groove: Groove, rng: np.random.Generator) -> None:
    bend = int(rng.integers(-1600, 1600))
    for channel, programs in ((_BASS, groove.basses), (_CHORDS, groove.chorders), (_MELODY, groove.leaders)):
        synth.program_select(channel, 1, 0, int(rng.choice(programs)))
        synth.pitch_bend(channel, bend)
    synth.program_select(_DRUMS, 1, 128, int(rng.choice(groove.kits)))
    for channel in (_BASS, _CHORDS, _MELODY, _DRUMS):
        synth.cc(channel, _VOLUME, int(rng.integers(55, 128)))


def _events(groove: Groove, n_beats: int, rng: np.random.Generator) -> list[_Event]:
    harmony = _Harmony(
        int(rng.integers(12)),
        _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))],
        float(rng.choice([0.5, 1.0, 2.0], p=[0.15, 0.6, 0.25])),
    )
    n_steps = n_beats * groove.steps
    notes = [*_drummed(groove, n_steps, rng), *_accompanied(groove, harmony, n_steps, rng)]
    if rng.random() < _MELODY_SHARE:
        notes += _sung(groove, harmony, n_steps, rng)
    return [event for step, note in notes for event in _on_and_off(_beat(step, groove), note, rng)]


def _drummed(groove: Groove, n_steps: int, rng: np.random.Generator) -> Iterator[tuple[int, _Note]]:
    """Strokes by step, with fills at the end of every fourth or eighth bar, and some by chance."""
    if rng.random() >= groove.drummed:
        return
    patterns = {drum: str(rng.choice(options)) for drum, options in groove.drums.items()}
    first = int(rng.integers(1, 5)) * groove.bar if rng.random() < _LATE_DRUMS_SHARE else 0
    every = int(rng.choice([4, 8])) * groove.bar
    has_fills = rng.random() < _FILL_SHARE
    chance = float(rng.choice([0.0, 0.02, 0.06]))
    for step in range(first, n_steps):
        loud = 100 if step % groove.steps == 0 else 80
        if has_fills and step % every >= every - groove.steps:
            yield step, (_DRUMS, int(rng.choice([SNARE, 45, 48])), 0.2, 95)
            continue
        strokes = [drum for drum, pattern in patterns.items() if pattern[step % len(pattern)] in "xX"]
        if rng.random() < chance:
            strokes = [drum for drum in strokes if drum != KICK] if KICK in strokes else [*strokes, KICK]
        yield from ((step, (_DRUMS, drum, 0.2, loud)) for drum in strokes)


def _accompanied(
    groove: Groove, harmony: _Harmony, n_steps: int, rng: np.random.Generator
) -> Iterator[tuple[int, _Note]]:
    """Bass and chords, these struck or broken."""
    bass, chords = str(rng.choice(groove.bass)), str(rng.choice(groove.chords))
    # Broken chords run in eighths or faster: in quarters they would be of twice the tempo.
    is_broken = rng.random() < 0.3 and 2 * chords.count("x") >= len(chords)
    length = float(rng.choice([0.2, 0.5, 1.0]))
    n_struck = 0
    for step in range(n_steps):
        tones = harmony.chord(step / groove.bar)
        if bass[step % len(bass)] == "x":
            yield step, (_BASS, 36 + tones[0], 0.8 * length, 100 if step % groove.bar == 0 else 86)
        if chords[step % len(chords)] == "x":
            struck = (tones[n_struck % 3],) if is_broken else tones
            n_struck += 1
            yield from ((step, (_CHORDS, 60 + tone, length, 82)) for tone in struck)


def _sung(groove: Groove, harmony: _Harmony, n_steps: int, rng: np.random.Generator) -> Iterator[tuple[int, _Note]]:
    """Return a melody, free or of one rhythm that returns with every other bar."""
    chances = np.array([_melody_chance(step % groove.steps, groove.steps) for step in range(2 * groove.bar)])
    motif = rng.random(len(chances)) < chances
    returns = rng.random() < 0.6
    pitch = 72 + harmony.tonic
    for step in range(n_steps):
        at = step % len(chances)
        if motif[at] if returns else rng.random() < chances[at]:
            pitch = int(np.clip(pitch + rng.choice([-4, -2, -1, 1, 2, 3]), 64, 86))
            yield step, (_MELODY, pitch, float(rng.choice([0.4, 0.9])), 92 if at % groove.steps == 0 else 78)


def _melody_chance(at: int, steps: int) -> float:
    """Melodies begin their notes on beats, less often between them."""
    if at == 0:
        return 0.55
    return 0.3 if steps == 3 or at == 2 else 0.04


def _on_and_off(beat: float, note: _Note, rng: np.random.Generator) -> list[_Event]:
    channel, pitch, length, velocity = note
    return [
        (beat, channel, pitch, min(127, velocity + int(rng.integers(-8, 9)))),
        (beat + length, channel, pitch, 0),
    ]


def _beat(step: int, groove: Groove) -> float:
    """Beat of a step: offbeat eighths of swung music come late, sixteenths between them in proportion."""
    beat, within = divmod(step / groove.steps, 1.0)
    late = 2 * groove.swing * within if within <= 0.5 else 1 - 2 * (1 - groove.swing) * (1 - within)
    return beat + (late if groove.steps == 4 else within)
