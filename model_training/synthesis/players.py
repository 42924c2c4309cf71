"""Players: each reads the strokes of a layer and the chords of the bars, and plays notes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_training.synthesis.patterns import Bar, Stroke, read_pattern
from model_training.synthesis.score import Layer, Note
from model_training.synthesis.theory import Chord, close_voicing, four_voices, nearest, pitches

STRUM_BEATS = 0.022  # between two strings of a strummed chord


@dataclass(frozen=True, slots=True)
class Task:
    """What a player is given: the layer, the bars it plays in, the pattern and the scale of the piece.

    `seed` is the piece's and the layer's; `tuning` in semitones is for drums.
    """

    layer: Layer
    bars: tuple[Bar, ...]
    pattern: str
    fill: str | None
    scale: frozenset[int]
    seed: tuple[int, ...]
    tuning: int = 0

    def rng(self, bar: Bar, *more: int) -> np.random.Generator:
        """Return a generator that is the same wherever the same bar of the same section comes back."""
        return np.random.default_rng([*self.seed, ord(bar.letter), bar.position % 4, *more])

    def strokes(self, bar: Bar) -> Sequence[Stroke]:
        """Return the strokes of a bar; the last bar of a section is the place of the fill."""
        if self.fill is not None and bar.is_last:
            return read_pattern(self.fill, bar.n_beats)[0]
        measures = read_pattern(self.pattern, bar.n_beats)
        return measures[bar.position % len(measures)]


def play_drum(task: Task) -> list[Note]:
    """Play the strokes as they stand; a `?` is played every other time."""
    notes = []
    for bar in task.bars:
        rng = task.rng(bar)
        for stroke in task.strokes(bar):
            if stroke.sign != "?" or rng.random() < 0.5:
                notes.append(Note(bar.start + stroke.at, stroke.length, 60 + task.tuning, stroke.velocity))
    return notes


def play_bass(task: Task) -> list[Note]:
    """Play roots, other tones of the chord, approaches and walking lines."""
    notes: list[Note] = []
    low, high = task.layer.register
    previous = (low + high) // 2
    for bar in task.bars:
        rng = task.rng(bar)
        for stroke in task.strokes(bar):
            walks = stroke.sign in "wW"
            pitch = _walk(bar, stroke, previous, task, rng) if walks else _bass_pitch(bar, stroke, low)
            notes.append(Note(bar.start + stroke.at, stroke.length, pitch, stroke.velocity))
            previous = pitch
    return notes


def _bass_pitch(bar: Bar, stroke: Stroke, low: int) -> int:
    chord = bar.chord_at(stroke.at)
    root = pitches(chord.root, low, low + 11)[0]
    sign = stroke.sign.lower()
    if sign == "n":
        goal = nearest((bar.root_after(stroke.at),), root)
        return max(low - 2, goal - 1 if goal >= root else goal + 1)
    if sign == "o":
        return root + 12
    index = {"r": 0, "t": 1, "f": 2 if len(chord.tones) > 2 else 1, "s": len(chord.tones) - 1}[sign]
    return root + (chord.tones[min(index, len(chord.tones) - 1)] - chord.root) % 12


def _walk(bar: Bar, stroke: Stroke, previous: int, task: Task, rng: np.random.Generator) -> int:
    low, high = task.layer.register
    chord = bar.chord_at(stroke.at)
    chord_starts = stroke.at * len(bar.chords) % bar.n_beats == 0
    if chord_starts:
        return _within(nearest((chord.root,), previous), low, high)
    if stroke.at + stroke.length >= bar.chord_ends(stroke.at):
        goal = _within(nearest((bar.root_after(stroke.at),), previous), low, high)
        return goal + int(rng.choice((-1, 1, 2)))
    options = [p for tone in chord.tones for p in pitches(tone, previous - 7, previous + 7) if p != previous]
    inside = [p for p in options if low <= p <= high] or options
    nearby = sorted(inside, key=lambda p: (abs(p - previous), p))[:3]
    return int(rng.choice(nearby))


def _within(pitch: int, low: int, high: int) -> int:
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def play_chords(task: Task) -> list[Note]:
    """Play the chords, voice-led: blocks, broken, strummed or with a thumb below."""
    notes: list[Note] = []
    voicing: tuple[int, ...] = ()
    last: Chord | None = None
    for bar in task.bars:
        for stroke in task.strokes(bar):
            chord = bar.chord_at(stroke.at)
            if chord != last:
                voicing = close_voicing(chord, task.layer.register, task.layer.n_voices, voicing)
                last = chord
            notes.extend(_chord_notes(bar, stroke, voicing, chord))
    return notes


def _chord_notes(bar: Bar, stroke: Stroke, voicing: tuple[int, ...], chord: Chord) -> list[Note]:
    start, sign = bar.start + stroke.at, stroke.sign.lower()
    if sign.isdigit():
        octave, index = divmod(int(sign), len(voicing))
        return [Note(start, stroke.length, voicing[index] + 12 * octave, stroke.velocity)]
    if sign in "rf":
        root = pitches(chord.root, 40, 51)[0]
        interval = (chord.tones[2 if len(chord.tones) > 2 else 1] - chord.root) % 12
        return [Note(start, stroke.length, root + (interval if sign == "f" else 0), stroke.velocity)]
    order = {"d": voicing, "u": voicing[:0:-1]}.get(sign, voicing)
    apart = STRUM_BEATS if sign in "du" else 0.0
    return [Note(start + i * apart, stroke.length, pitch, stroke.velocity) for i, pitch in enumerate(order)]


def play_voices(task: Task) -> list[Note]:
    """Set the chords for four voices and fill thirds with passing notes."""
    lines: list[list[Note]] = [[], [], [], []]
    voicing: tuple[int, ...] = ()
    last: Chord | None = None
    for bar in task.bars:
        for stroke in task.strokes(bar):
            chord = bar.chord_at(stroke.at)
            if chord != last:
                voicing, last = four_voices(chord, voicing), chord
            for line, pitch in zip(lines, voicing, strict=True):
                line.append(Note(bar.start + stroke.at, stroke.length, pitch, stroke.velocity))
    return [note for line in lines for note in _with_passing(line, task)]


def _with_passing(line: Sequence[Note], task: Task) -> list[Note]:
    """Halve a note that a third separates from the next, and step through the tone between."""
    rng = np.random.default_rng(task.seed)
    notes: list[Note] = []
    for note, following in zip(line, [*line[1:], line[-1]], strict=True) if line else ():
        between = [
            p
            for p in range(min(note.pitch, following.pitch) + 1, max(note.pitch, following.pitch))
            if p % 12 in task.scale
        ]
        if abs(note.pitch - following.pitch) in (3, 4) and between and note.length >= 1 and rng.random() < 0.6:
            half = note.length / 2
            notes.append(Note(note.start, half, note.pitch, note.velocity))
            notes.append(Note(note.start + half, half, between[0], note.velocity * 0.85))
        else:
            notes.append(note)
    return notes
