"""The notation of the styles: rhythms written as strings, a character for every sixteenth.

`.` is a rest and `-` holds the stroke before it; `|` parts the bars of a longer pattern; a pattern shorter
than the bar is repeated. Capitals are accents. Every other character is a stroke, and what it means depends
on who reads it:

- drums: `x` a stroke, `o` a soft one, `?` a soft one that may be left out
- chords: `x` and `o` the whole chord, `d` and `u` the chord strummed down or up, a digit one of its tones
  (counted from below, from 0), `r` and `f` the root and the fifth under it
- bass: `r` root, `t` third, `f` fifth, `s` seventh, `o` octave, `n` a step next to the next root, `w` walking
- voices and melody: `x` a note
"""

from dataclasses import dataclass
from functools import lru_cache

from model_training.synthesis.theory import Chord

STEPS_PER_BEAT = 4


@dataclass(frozen=True, slots=True)
class Stroke:
    """One sign of a pattern: where it falls in its bar and how long it is, in beats."""

    at: float
    length: float
    sign: str

    @property
    def velocity(self) -> float:
        """How hard the sign says to play."""
        if self.sign.isupper():
            return 1.0
        return {"o": 0.5, "?": 0.4, "u": 0.6}.get(self.sign, 0.75)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a piece: its place in the form and its chords, evenly spread over `n_beats`.

    `position` counts from the beginning of the section `letter`; `next_root` is the pitch class of the
    chord after the bar.
    """

    index: int
    letter: str
    position: int
    is_last: bool
    n_beats: int
    chords: tuple[Chord, ...]
    next_root: int

    @property
    def start(self) -> float:
        """The first beat of the bar, counted from the beginning of the piece."""
        return float(self.index * self.n_beats)

    def _chord_index(self, at: float) -> int:
        return min(len(self.chords) - 1, int(at * len(self.chords) / self.n_beats))

    def chord_at(self, at: float) -> Chord:
        """Return the chord that sounds `at` beats into the bar."""
        return self.chords[self._chord_index(at)]

    def root_after(self, at: float) -> int:
        """Return the pitch class of the root that follows the chord sounding at `at`."""
        following = self._chord_index(at) + 1
        return self.chords[following].root if following < len(self.chords) else self.next_root

    def chord_ends(self, at: float) -> float:
        """Return where in the bar the chord sounding at `at` ends, in beats."""
        return (self._chord_index(at) + 1) * self.n_beats / len(self.chords)


@lru_cache(maxsize=512)
def read_pattern(pattern: str, n_beats: int) -> tuple[tuple[Stroke, ...], ...]:
    """Return the strokes of every bar of a pattern."""
    bars = [_tiled(bar, n_beats * STEPS_PER_BEAT) for bar in pattern.split("|")]
    signs = "".join(bars)
    n_steps = len(bars[0])
    strokes: list[list[Stroke]] = [[] for _ in bars]
    for step, sign in enumerate(signs):
        if sign not in ".-":
            n_held = len(signs[step + 1 :]) - len(signs[step + 1 :].lstrip("-"))
            bar, place = divmod(step, n_steps)
            stroke = Stroke(place / STEPS_PER_BEAT, (1 + n_held) / STEPS_PER_BEAT, sign)
            strokes[bar].append(stroke)
    return tuple(tuple(bar) for bar in strokes)


def _tiled(bar: str, n_steps: int) -> str:
    if not bar or n_steps % len(bar):
        raise ValueError(f"pattern {bar!r} has {len(bar)} steps, which do not fill a bar of {n_steps}")
    return bar * (n_steps // len(bar))
