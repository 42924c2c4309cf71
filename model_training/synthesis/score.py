"""What a composition is made of: styles are written in layers, pieces consist of parts and notes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["drum", "bass", "chords", "voices", "melody"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One voice of a style and the choices it leaves to a piece.

    `patterns` are written as described in `patterns.py`; a piece takes one of them and one of `instruments`,
    and leaves the whole layer out with probability 1 - `chance`. `sections` names the sections in which it
    plays. `register` is in MIDI pitches, `gain` the peak of its loudest note, `pan` from -1 to 1, `send` the
    share that goes to the room, `echo` that of a repeat after three quarters of a beat, `duck` how far the
    kick pushes it down, `width` the spread over both channels in s. A `tuned` drum, which as
    it is sounds F#, takes the tonic or its fifth.
    """

    kind: Kind
    instruments: tuple[str, ...]
    patterns: tuple[str, ...]
    gain: float = 0.3
    pan: float = 0.0
    send: float = 0.2
    sections: str = "iABC"
    register: tuple[int, int] = (55, 72)
    n_voices: int = 4
    fills: tuple[str, ...] = ()
    chance: float = 1.0
    echo: float = 0.0
    duck: float = 0.0
    width: float = 0.0
    tuned: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """A kind of music: what its pieces share and the range in which they differ.

    `tempo_bpm` is the lowest and the highest tempo. `swing` is where the second half of every `swing_beats`
    falls (0.5 is straight). `progressions` gives for each mode what `theory.parse_progression`
    reads; `forms` are strings of sections, a letter for every two bars, `i` being the introduction that is
    not repeated. An inner tuple of `layers` stands for one of them. `looseness_s` is the spread of the
    players' timing, `loudness_dbfs` the RMS level after mastering, `room_s` the reverberation time.
    """

    name: str
    genre: str
    tempo_bpm: tuple[int, int]
    progressions: dict[str, tuple[str, ...]]
    forms: tuple[str, ...]
    layers: tuple[Layer | tuple[Layer, ...], ...]
    artists: tuple[str, str, str]
    beats_per_bar: int = 4
    swing: float = 0.5
    swing_beats: float = 1.0
    looseness_s: float = 0.006
    loudness_dbfs: float = -17.0
    room_s: float = 0.8


@dataclass(frozen=True, slots=True)
class Note:
    """One note: `start` and `length` in beats from the beginning, MIDI `pitch`, `velocity` from 0 to 1."""

    start: float
    length: float
    pitch: int
    velocity: float


@dataclass(frozen=True, slots=True)
class Part:
    """What one instrument plays in a piece, and the layer that says how it stands in the mix."""

    instrument: str
    layer: Layer
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A composition whose tempo, key, form and instruments are known exactly. `key` is like `C#m`."""

    style: str
    seed: int
    title: str
    tempo_bpm: float
    key: str
    mode: str
    beats_per_bar: int
    form: str
    seconds: float
    parts: tuple[Part, ...]

    @property
    def instruments(self) -> tuple[str, ...]:
        """The names of the instruments that are heard, each once."""
        return tuple(sorted({part.instrument for part in self.parts if part.notes}))
