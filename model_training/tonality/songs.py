"""Songs invented by rule in a known key, for General MIDI instruments: chords, bass, melody and drums."""

from dataclasses import dataclass, replace

import numpy as np

from model_training.synthesis.theory import Chord, close_voicing, key_name, nearest, parse_progression, pitches
from model_training.tonality.harmony import IDIOMS, Idiom

DRUMS = 9
_BEATS = 4
_SLOWEST_BPM, _FASTEST_BPM = 58, 190
_WALTZ_SHARE = 0.12
_SWUNG_SHARE = 0.12
# Whoever renders a progression mostly begins with its first chord.
_MIDDLE_SHARE = 0.25
_FILL_SHARE = 0.4
# Nobody plays sixteenths on a hi-hat faster than this, nor keeps time in quarters slower than that.
_SIXTEENTHS_UNTIL_BPM, _QUARTERS_FROM_BPM = 130, 95
_CHORD_PROGRAMS = (*range(0, 8), *range(16, 32), *range(48, 52), *range(88, 96))
_LEAD_PROGRAMS = (*range(0, 14), *range(22, 32), 40, 41, 42, *range(52, 88), 104, 105, 109, 110)
_BASS_PROGRAMS = (*range(32, 40), 32, 33, 34, 43, 58)
_ORCHESTRA = (0, 6, 19, 40, 42, 46, 48, 49, 60, 68, 71, 73)
_OVERDRIVEN, _DISTORTED = 29, 30
_KICK, _SNARE, _HAT, _OPEN_HAT, _CLAP, _CRASH, _RIDE, _TOM = 36, 38, 42, 46, 39, 49, 51, 45


@dataclass(frozen=True, slots=True)
class Played:
    """One note: from `start_s` for `length_s`, MIDI `channel`, `pitch` and `velocity` (1 to 127)."""

    start_s: float
    length_s: float
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Song:
    """Notes, General MIDI programs by channel, the key as `C#m`, and the tempo in BPM, 0 where it is not known."""

    key: str
    notes: tuple[Played, ...]
    programs: dict[int, int]
    bpm: float = 0.0


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What all players look at: the `chords` by bar, beats in a bar, seconds per beat, how late offbeats come."""

    idiom: Idiom
    tonic: int
    chords: tuple[tuple[Chord, ...], ...]
    meter: int
    beat_s: float
    late: float

    @property
    def scale(self) -> frozenset[int]:
        return frozenset((self.tonic + step) % 12 for step in self.idiom.scale)

    def at(self, beat: float) -> Chord:
        """Return the chord that sounds at a beat."""
        bar = self.chords[min(int(beat) // self.meter, len(self.chords) - 1)]
        return bar[int(beat % self.meter * len(bar) / self.meter)]

    @property
    def n_beats(self) -> int:
        return self.meter * len(self.chords)


def invent(seed: int, seconds: float) -> Song:
    """Invent a song that begins somewhere in its progression. The same seed gives the same song."""
    rng = np.random.default_rng(seed)
    idiom = IDIOMS[rng.integers(len(IDIOMS))]
    tonic = int(rng.integers(12))
    beat_s = 60 / rng.uniform(_SLOWEST_BPM, _FASTEST_BPM)
    meter = 3 if not (idiom.power or idiom.swings) and rng.random() < _WALTZ_SHARE else _BEATS
    late = float(rng.uniform(0.08, 0.18)) if idiom.swings or rng.random() < _SWUNG_SHARE else 0.0
    bars = parse_progression(str(rng.choice(idiom.progressions)), tonic)
    if rng.random() < 0.5:
        bars = bars * int(rng.integers(1, 5)) + parse_progression(str(rng.choice(idiom.progressions)), tonic)
    first = int(rng.integers(len(bars))) if rng.random() < _MIDDLE_SHARE else 0
    n_bars = int(seconds / beat_s / meter) + 1
    chords = tuple(bars[(first + i) % len(bars)] for i in range(n_bars))
    sheet = _Sheet(idiom, tonic, chords, meter, beat_s, late)
    parts = [_bass(sheet, rng), _chords(sheet, rng, 1), _melody(sheet, rng), _drums(sheet, rng)]
    if rng.random() < 0.4:
        parts.append(_chords(sheet, rng, 3))
    kept = [part for part, chance in zip(parts, (0.85, 0.9, 0.75, 0.7, 1), strict=False) if rng.random() < chance]
    notes = tuple(_loosened(note, rng) for part in kept or parts[:2] for note in part)
    mode = "minor" if idiom.is_minor else "major"
    return Song(key_name(tonic, mode), notes, _programs(idiom, rng), 60 / beat_s)


def _programs(idiom: Idiom, rng: np.random.Generator) -> dict[int, int]:
    programs = {
        0: int(rng.choice(_BASS_PROGRAMS)),
        1: int(rng.choice(_CHORD_PROGRAMS)),
        2: int(rng.choice(_LEAD_PROGRAMS)),
        3: int(rng.choice(_CHORD_PROGRAMS)),
    }
    if "classical" in idiom.name:
        return {channel: int(rng.choice(_ORCHESTRA)) for channel in programs}
    if idiom.power:
        loud = int(rng.choice((_OVERDRIVEN, _DISTORTED)))
        return programs | {1: loud, 3: loud}
    return programs


def _loosened(note: Played, rng: np.random.Generator) -> Played:
    return replace(
        note,
        start_s=max(0.0, note.start_s + rng.normal(0, 0.008)),
        velocity=int(np.clip(note.velocity + rng.normal(0, 8), 20, 127)),
    )


def _bass(sheet: _Sheet, rng: np.random.Generator) -> list[Played]:
    """Roots, mostly: held, repeated, with fifths or octaves, walking, or a riff."""
    kind = rng.choice(
        ("held", "pulse", "fifths", "octaves", "walk", "riff", "pedal"), p=(0.15, 0.25, 0.2, 0.1, 0.15, 0.1, 0.05)
    )
    low = int(rng.integers(28, 36))
    loud = int(rng.integers(75, 120))
    riff = [(b, int(rng.choice(sheet.idiom.scale))) for b in np.flatnonzero(rng.random(2 * sheet.meter) < 0.6) / 2]
    bar = float(sheet.meter)
    step = {"held": bar, "pulse": float(rng.choice((0.5, 1.0))), "riff": bar}.get(str(kind), 1.0)
    notes = []
    for i, beat in enumerate(np.arange(0, sheet.n_beats, step)):
        chord = sheet.at(beat)
        root = pitches(sheet.tonic if kind == "pedal" else chord.root, low, low + 11)[0]
        if kind == "riff":
            home = pitches(sheet.tonic, low, low + 11)[0]
            notes += [_note(sheet, beat + b, 0.4, 0, home + s, loud) for b, s in [(0.0, 0), *riff]]
            continue
        pitch = root
        if kind == "fifths" and i % 2:
            pitch = nearest([chord.tones[min(2, len(chord.tones) - 1)]], root + 2)
        elif kind == "octaves" and i % 2:
            pitch = root + 12
        elif kind == "walk" and i % 2:
            pitch = nearest(list(chord.tones) if rng.random() < 0.6 else sheet.scale, root + int(rng.integers(-3, 9)))
        notes.append(_note(sheet, beat, step * rng.uniform(0.5, 1), 0, pitch, loud))
    return notes


def _chords(sheet: _Sheet, rng: np.random.Generator, channel: int) -> list[Played]:
    """Held, struck, off the beat or broken."""
    kind = rng.choice(("held", "struck", "off", "broken"), p=(0.35, 0.3, 0.15, 0.2))
    low = int(rng.integers(43, 62))
    n_voices = int(rng.integers(2, 4)) if sheet.idiom.power else int(rng.integers(3, 5))
    loud = int(rng.integers(50, 110))
    half = sheet.meter / 2 if sheet.meter % 2 == 0 else float(sheet.meter)
    step, offset = {
        "held": (half, 0.0),
        "struck": (float(rng.choice((0.5, 1, half))), 0.0),
        "off": (1.0, 0.5),
        "broken": (0.5, 0.0),
    }[str(kind)]
    voices: tuple[int, ...] = ()
    notes = []
    for i, beat in enumerate(np.arange(offset, sheet.n_beats, step)):
        voices = close_voicing(sheet.at(beat), (low, low + 19), n_voices, voices)
        if kind == "broken":
            notes.append(_note(sheet, beat, 0.7, channel, voices[i % len(voices)], loud))
        else:
            length = rng.uniform(0.2, 0.9) * step if kind == "off" else step * 0.95
            notes += [_note(sheet, beat, length, channel, p, loud) for p in voices]
    return notes


def _melody(sheet: _Sheet, rng: np.random.Generator) -> list[Played]:
    """Walk through the scale: the melody rests on chord tones on strong beats and is silent now and then."""
    goal = pitch = int(rng.integers(58, 80))
    loud = int(rng.integers(70, 120))
    strict = rng.uniform(0.3, 0.9)
    notes: list[Played] = []
    beat = 0.0
    while beat < sheet.n_beats:
        length = float(rng.choice((0.5, 0.5, 1.0, 1.0, 1.5, 2.0)))
        if rng.random() > 0.2:
            on_chord = beat % 2 == 0 and rng.random() < strict
            allowed = list(sheet.at(beat).tones) if on_chord else sheet.scale
            pitch = nearest(allowed, pitch + rng.normal(0, 2.5) + 0.1 * (goal - pitch))
            notes.append(_note(sheet, beat, 0.9 * length, 2, pitch, loud))
        beat += length
    return notes


def _drums(sheet: _Sheet, rng: np.random.Generator) -> list[Played]:
    """Repeat a beat in every bar: kick on the first beat, snare on the even ones, so that the tempo can be told."""
    bpm, halves = 60 / sheet.beat_s, np.arange(0, sheet.meter, 0.5)
    steps = [0.5, *([0.25] * (bpm <= _SIXTEENTHS_UNTIL_BPM)), *([1.0] * (bpm >= _QUARTERS_FROM_BPM))]
    kicks = {0.0, *halves[rng.random(len(halves)) < rng.uniform(0.05, 0.4)].tolist()}
    if rng.random() < 0.25:
        kicks = set(range(sheet.meter))
    clap = int(rng.choice((_SNARE, _SNARE, _CLAP, 37, 40)))
    even = [beat for beat in range(1, sheet.meter, 1 if sheet.meter == 3 and rng.random() < 0.5 else 2)]
    hat = int(rng.choice((_HAT, _HAT, _OPEN_HAT, _RIDE)))
    beats = [(beat, _KICK) for beat in sorted(kicks - set(even) if rng.random() < 0.7 else kicks)]
    beats += [(beat, clap) for beat in even] if rng.random() < 0.85 else []
    beats += [(beat, hat) for beat in np.arange(0, sheet.meter, rng.choice(steps))] if rng.random() < 0.9 else []
    beats += [(beat, int(rng.integers(41, 82))) for beat in halves[rng.random(len(halves)) < 0.08].tolist()]
    loud = int(rng.integers(60, 127))
    fills = [bar % 4 == 3 and rng.random() < _FILL_SHARE for bar in range(len(sheet.chords))]
    hits = []
    for bar, is_filled in enumerate(fills):
        first, last = sheet.meter * bar, sheet.meter - 1.0 if is_filled else float(sheet.meter)
        hits += [_note(sheet, first + beat, 0.2, DRUMS, drum, loud) for beat, drum in beats if beat < last]
        hits += [_note(sheet, first + beat, 0.2, DRUMS, _TOM, loud) for beat in np.arange(last, sheet.meter, 0.25)]
        hits += [_note(sheet, first, 0.2, DRUMS, _CRASH, loud)] if bar % 4 == 0 else []
    return hits


def _note(sheet: _Sheet, beat: float, beats: float, channel: int, pitch: int, velocity: int) -> Played:
    if beat % 1 == 0.5:
        beat += sheet.late
    return Played(float(beat) * sheet.beat_s, float(beats) * sheet.beat_s, channel, int(pitch), velocity)
