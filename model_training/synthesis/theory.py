"""Notes, scales and chords: enough harmony to write the keys and progressions of the styles."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}

_DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
_UPPER = {
    "": (0, 4, 7), "5": (0, 7), "6": (0, 4, 7, 9), "7": (0, 4, 7, 10), "9": (0, 4, 7, 10, 14),
    "maj7": (0, 4, 7, 11), "maj9": (0, 4, 7, 11, 14), "add9": (0, 4, 7, 14),
    "sus2": (0, 2, 7), "sus4": (0, 5, 7), "13": (0, 4, 10, 14, 21), "7b9": (0, 4, 7, 10, 13),
}  # fmt: skip
_LOWER = {
    "": (0, 3, 7), "5": (0, 7), "6": (0, 3, 7, 9), "7": (0, 3, 7, 10), "9": (0, 3, 7, 10, 14),
    "add9": (0, 3, 7, 14), "o": (0, 3, 6), "o7": (0, 3, 6, 9), "7b5": (0, 3, 6, 10),
}  # fmt: skip
_NUMERAL = re.compile(r"^([b#]?)([IViv]+)(.*)$")


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord as pitch classes (0 is C), the root first, then third, fifth and what lies above."""

    tones: tuple[int, ...]

    @property
    def root(self) -> int:
        """The pitch class of the root."""
        return self.tones[0]


def is_minor(mode: str) -> bool:
    """Say whether the third of `mode` is small."""
    return SCALES[mode][2] == 3


def key_name(tonic: int, mode: str) -> str:
    """Return the key as `C#m`: the tonic, with `m` where the third is small."""
    return NOTES[tonic % 12] + ("m" if is_minor(mode) else "")


def scale_tones(tonic: int, mode: str) -> frozenset[int]:
    """Return the pitch classes of a scale."""
    return frozenset((tonic + step) % 12 for step in SCALES[mode])


def parse_chord(numeral: str, tonic: int) -> Chord:
    """Read a chord such as `bVII`, `ii7` or `Vsus4` over a tonic (a pitch class)."""
    found = _NUMERAL.match(numeral)
    if found is None:
        raise ValueError(f"not a chord: {numeral!r}")
    accidental, degree, quality = found.groups()
    intervals = (_UPPER if degree.isupper() else _LOWER)[quality]
    root = tonic + _DEGREES[degree.upper()] + {"b": -1, "#": 1, "": 0}[accidental]
    return Chord(tuple((root + interval) % 12 for interval in intervals))


def parse_progression(text: str, tonic: int) -> tuple[tuple[Chord, ...], ...]:
    """Read `i | bVI bVII | …` as bars of chords."""
    return tuple(tuple(parse_chord(word, tonic) for word in bar.split()) for bar in text.split("|"))


def pitches(pitch_class: int, low: int, high: int) -> list[int]:
    """Return every MIDI pitch of `pitch_class` from `low` to `high`, both included."""
    return list(range(low + (pitch_class - low) % 12, high + 1, 12))


def nearest(pitch_classes: Sequence[int] | frozenset[int], goal: float) -> int:
    """Return the pitch nearest to `goal` whose class is among `pitch_classes`; the lower of two."""
    around = range(int(goal) - 6, int(goal) + 8)
    return min((p for p in around if p % 12 in pitch_classes), key=lambda p: (abs(p - goal), p))


def close_voicing(
    chord: Chord, register: tuple[int, int], n_voices: int, previous: Sequence[int] = ()
) -> tuple[int, ...]:
    """Stack the tones closely within `register`, moving as little as possible from `previous`.

    Of a chord with more tones than voices the fifth goes first, then the root: the bass has it.
    """
    tones = list(chord.tones)
    for index in (2, 0):
        if len(tones) > max(n_voices, index):
            tones.pop(index)
    low, high = register
    best: tuple[float, tuple[int, ...]] = (float("inf"), ())
    for lowest in itertools.chain.from_iterable(pitches(tone, low, high) for tone in tones):
        stack = _stack(lowest, tones, n_voices)
        goal = previous or [(low + high) // 2] * n_voices
        cost = sum(abs(a - b) for a, b in zip(stack, goal, strict=False)) + 4.0 * max(0, stack[-1] - high)
        best = min(best, (cost, stack))
    return best[1]


def _stack(lowest: int, tones: Sequence[int], n_voices: int) -> tuple[int, ...]:
    stack = [lowest]
    classes = sorted((tone - lowest) % 12 for tone in tones)
    while len(stack) < n_voices:
        octave, index = divmod(len(stack), len(classes))
        stack.append(lowest + classes[index] + 12 * octave)
    return tuple(stack)


_RANGES = ((41, 60), (50, 67), (56, 72), (62, 79))  # bass, tenor, alto, soprano


def four_voices(chord: Chord, previous: Sequence[int] = ()) -> tuple[int, ...]:
    """Set `chord` for bass, tenor, alto and soprano, with small steps and no parallel fifths or octaves."""
    tones = chord.tones[:4]
    options = [pitches(chord.root, *_RANGES[0])]
    options += [[p for tone in tones for p in pitches(tone, *span)] for span in _RANGES[1:]]
    candidates = (v for v in itertools.product(*options) if v[0] < v[1] <= v[2] <= v[3] and v[3] - v[1] <= 19)
    return min(candidates, key=lambda voices: (_setting_cost(voices, tones, previous), voices))


def _setting_cost(voices: Sequence[int], tones: Sequence[int], previous: Sequence[int]) -> float:
    missing = len(set(tones) - {v % 12 for v in voices})
    goal = previous or (48, 57, 64, 71)
    leaps = sum(abs(a - b) * weight for a, b, weight in zip(voices, goal, (0.4, 1.0, 1.0, 1.2), strict=True))
    return 12.0 * missing + leaps + 15.0 * _parallels(voices, previous)


def _parallels(voices: Sequence[int], previous: Sequence[int]) -> int:
    if not previous:
        return 0
    pairs = itertools.combinations(range(4), 2)
    return sum(
        (voices[b] - voices[a]) % 12 == (previous[b] - previous[a]) % 12
        and (voices[b] - voices[a]) % 12 in (0, 7)
        and voices[a] != previous[a]
        for a, b in pairs
    )
