"""Melodies: motifs that come back, bend to the chords and close their phrases."""

import numpy as np

from model_training.synthesis.patterns import Bar, Stroke, read_pattern
from model_training.synthesis.players import Task
from model_training.synthesis.score import Note
from model_training.synthesis.theory import Chord, nearest

_PHRASE = (0, 1, 0, 2)  # the motif of each bar of a phrase: two bars are alike
_MOVES = (-3, -2, -1, -1, -1, 1, 1, 1, 2, 3, 0)  # in steps of the scale
_CLOSING = 3


def play_melody(task: Task) -> list[Note]:
    """Play phrases of four bars after the scheme a b a c; the fourth comes to rest."""
    notes: list[Note] = []
    for bar in task.bars:
        motif = _PHRASE[bar.position % 4]
        rng = np.random.default_rng([*task.seed, ord(bar.letter), motif])
        pattern = task.layer.patterns[int(rng.integers(len(task.layer.patterns)))]
        strokes = read_pattern(pattern, bar.n_beats)[0]
        if bar.position % 4 == _CLOSING:
            strokes = _closing(strokes, bar.n_beats)
        notes.extend(_bar_of(task, bar, strokes, rng))
    return notes


def _closing(strokes: tuple[Stroke, ...], n_beats: int) -> tuple[Stroke, ...]:
    """Keep the first half of the bar and hold its last note."""
    kept = [stroke for stroke in strokes if stroke.at <= n_beats / 2] or list(strokes[:1])
    last = kept[-1]
    return (*kept[:-1], Stroke(last.at, max(last.length, 0.75 * (n_beats - last.at)), last.sign))


def _bar_of(task: Task, bar: Bar, strokes: tuple[Stroke, ...], rng: np.random.Generator) -> list[Note]:
    low, high = task.layer.register
    goal = low + (high - low) * float(rng.uniform(0.3, 0.7))
    moves = rng.choice(_MOVES, size=len(strokes))
    notes: list[Note] = []
    pitch = nearest(bar.chord_at(0.0).tones, goal)
    for number, (stroke, move) in enumerate(zip(strokes, moves, strict=True)):
        chord = bar.chord_at(stroke.at)
        if number:
            pitch = _step(pitch, int(move), _scale_over(chord, task.scale), (low, high))
        is_rest = bar.position % 4 == _CLOSING and number == len(strokes) - 1
        if is_rest or (stroke.at == int(stroke.at) and stroke.length >= 0.75):
            pitch = nearest(chord.tones[:2] if is_rest else chord.tones, pitch)
        accent = 0.12 if stroke.at == int(stroke.at) else 0.0
        notes.append(Note(bar.start + stroke.at, stroke.length, pitch, 0.68 + accent + 0.1 * float(rng.uniform(-1, 1))))
    return notes


def _scale_over(chord: Chord, scale: frozenset[int]) -> frozenset[int]:
    """Return the scale with the tones of the chord in place of their neighbours."""
    foreign = [tone for tone in chord.tones if tone not in scale]
    neighbours = {(tone + side) % 12 for tone in foreign for side in (-1, 1)}
    return (scale - (neighbours - set(chord.tones))) | set(foreign)


def _step(pitch: int, move: int, scale: frozenset[int], register: tuple[int, int]) -> int:
    """Move by steps of the scale; turn round where the register would be left."""
    ladder = [p for p in range(register[0] - 12, register[1] + 13) if p % 12 in scale]
    here = min(range(len(ladder)), key=lambda i: abs(ladder[i] - pitch))
    there = ladder[here + move]
    if not register[0] <= there <= register[1]:
        there = ladder[here - move]
    return there
