"""Songs as somebody writes them who knows how a style goes: the usual patterns, a loop of chords, a tune over it.

Invented songs (`songs.py`) teach not to rely on habits; these teach the habits.
"""

from itertools import pairwise
from typing import TypeAlias

import numpy as np

from model_training.synthesis.theory import Chord, close_voicing, key_name, nearest, parse_progression, pitches
from model_training.tonality.band_styles import BANDS, Band
from model_training.tonality.songs import DRUMS, Played, Song

_CRASH, _TOM = 49, 45
_BASS, _CHORDS, _LEAD = 0, 1, 2
_DRUMMED_SHARE, _LED_SHARE, _FILL_SHARE = 0.75, 0.65, 0.4
_ANY_TEMPO_SHARE, _ANY_BPM = 0.3, (58, 190)
_LOOSE_S = (0.0, 0.004, 0.01)
_LATE_SHARE, _LATE = 0.15, 0.12
_LOOPS = {
    "major": (
        "I | V | vi | IV",
        "I | IV | V | I",
        "I | vi | IV | V",
        "I | IV | I | V",
        "I | V | IV | V",
        "I | IV | V | IV",
        "I | vi | ii | V",
        "I | iii | IV | V",
        "ii | V | I | I",
        "I | IV | vi | V",
        "I | bVII | IV | I",
        "I | ii | IV | V",
        "I | V | IV | I",
        "I | I | IV | V",
        "IV | V | I | I",
        "I | iii | vi | IV",
        "ii7 | V7 | Imaj7 | Imaj7",
        "I | I | I | I | IV | IV | I | I | V | IV | I | V",
    ),
    "minor": (
        "i | bVI | bIII | bVII",
        "i | iv | V | i",
        "i | bVII | bVI | V",
        "i | bVI | bVII | i",
        "i | iv | bVII | bIII",
        "i | iv | i | V",
        "i | bVI | iv | V",
        "i | bVII | bVI | bVII",
        "i | iv | v | i",
        "i | bIII | bVII | bVI",
        "i | v | bVI | bVII",
        "i | i | iv | V",
        "i | bVII | iv | i",
        "i | bIII | iv | V",
        "ii7b5 | V7 | i | i",
        "i | i | i | i | iv | iv | i | i | v | iv | i | v",
    ),
}
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}

# Step, length in steps, channel, pitch, velocity.
_Stroke: TypeAlias = tuple[int, float, int, int, int]


def arrange(seed: int, seconds: float) -> Song:
    """Write a song for a band. The same seed gives the same song."""
    rng = np.random.default_rng([seed, 17])
    band = BANDS[str(rng.choice(list(BANDS)))]
    mode = str(rng.choice(("major", "minor")))
    tonic = int(rng.integers(12))
    is_drummed = bool(band.drums) and rng.random() < _DRUMMED_SHARE
    # Only drums tell a beat at a tempo that its style never has.
    is_unusual = is_drummed and band.steps == 4 and not band.late and rng.random() < _ANY_TEMPO_SHARE
    bpm = float(rng.uniform(*(_ANY_BPM if is_unusual else band.bpm)))
    loop = parse_progression(str(rng.choice(_LOOPS[mode])), tonic)
    bars_each = 2 if rng.random() < 0.2 else 1
    n_bars = int(seconds * bpm / 60 * band.steps / band.bar) + 1
    chords = [loop[bar // bars_each % len(loop)][0] for bar in range(n_bars)]
    strokes = [*_bass(band, chords, rng), *_chords(band, chords, rng)]
    if rng.random() < _LED_SHARE:
        strokes += _lead(band, chords, [(tonic + step) % 12 for step in _SCALES[mode]], rng)
    if is_drummed:
        strokes += _drums(band, n_bars, rng)
    late = band.late or (_LATE if band.steps == 4 and rng.random() < _LATE_SHARE else 0.0)
    loose_s = float(rng.choice(_LOOSE_S))
    notes = tuple(_timed(stroke, band.steps, late, 60 / bpm, rng.normal(0, loose_s)) for stroke in strokes)
    programs = {_BASS: band.basses, _CHORDS: band.chorders, _LEAD: band.leads}
    return Song(key_name(tonic, mode), notes, {c: int(rng.choice(p)) for c, p in programs.items()}, bpm)


def _strokes(pattern: str) -> list[tuple[int, str, int]]:
    """Places, signs and lengths (to the next one, or the end) of a pattern's strokes."""
    places = [i for i, sign in enumerate(pattern) if sign != "."]
    return [(at, pattern[at], after - at) for at, after in zip(places, [*places[1:], len(pattern)], strict=False)]


def _bass(band: Band, chords: list[Chord], rng: np.random.Generator) -> list[_Stroke]:
    pattern, low, loud = str(rng.choice(band.bass)), int(rng.integers(28, 36)), int(rng.integers(80, 112))
    held = float(rng.uniform(0.6, 1))
    played = []
    for bar, chord in enumerate(chords):
        root = pitches(chord.root, low, low + 11)[0]
        following = pitches(chords[min(bar + 1, len(chords) - 1)].root, low, low + 11)[0]
        third, fifth = ((tone - chord.root) % 12 for tone in chord.tones[1:3])
        walk = [root, root + third, root + fifth, following - 1]
        tones = {"r": root, "f": root + 7, "o": root + 12}
        for i, (at, sign, length) in enumerate(_strokes(pattern)):
            pitch = walk[i % 4] if sign == "w" else tones[sign]
            played.append((bar * band.bar + at, held * length, _BASS, pitch, loud))
    return played


def _chords(band: Band, chords: list[Chord], rng: np.random.Generator) -> list[_Stroke]:
    pattern, low, loud = str(rng.choice(band.chords)), int(rng.integers(48, 60)), int(rng.integers(60, 96))
    held, order = float(rng.uniform(0.4, 1)), rng.permutation(4) if rng.random() < 0.3 else np.arange(4)
    played: list[_Stroke] = []
    voices: tuple[int, ...] = ()
    for bar, chord in enumerate(chords):
        voices = close_voicing(chord, (low, low + 19), 4 if band.broken else 3, voices)
        for i, (at, _, length) in enumerate(_strokes(pattern)):
            sounding = (voices[order[i % 4]],) if band.broken else voices
            played += [(bar * band.bar + at, held * length, _CHORDS, pitch, loud) for pitch in sounding]
    return played


def _lead(band: Band, chords: list[Chord], scale: list[int], rng: np.random.Generator) -> list[_Stroke]:
    """Walk through the scale in a rhythm that mostly comes back; on the first beat of a bar it meets the chord."""
    lengths = (1, 2, 3) if band.steps == 3 else (2, 2, 4, 4, 6, 8)
    loud, pitch = int(rng.integers(76, 112)), int(rng.integers(64, 76))
    rhythm: list[int] = []
    played = []
    for bar, chord in enumerate(chords):
        if not rhythm or rng.random() < 0.25:
            rhythm = [0]
            while rhythm[-1] < band.bar:
                rhythm.append(rhythm[-1] + int(rng.choice(lengths)))
        for at, after in pairwise(rhythm):
            if rng.random() > 0.12:
                goal = float(np.clip(pitch + rng.normal(0, 2.5), 60, 86))
                pitch = nearest(chord.tones if at == 0 else frozenset(scale), goal)
                played.append((bar * band.bar + at, 0.9 * (min(after, band.bar) - at), _LEAD, pitch, loud))
    return played


def _drums(band: Band, n_bars: int, rng: np.random.Generator) -> list[_Stroke]:
    patterns = {drum: str(rng.choice(options)) for drum, options in band.drums.items()}
    has_fills, loud = rng.random() < _FILL_SHARE, int(rng.integers(80, 116))
    played = []
    for bar in range(n_bars):
        first, end = bar * band.bar, band.bar - band.steps if has_fills and bar % 4 == 3 else band.bar
        for drum, pattern in patterns.items():
            for at, _, _ in _strokes(pattern):
                softer = 0 if at % band.steps == 0 else 16
                played += [(first + at, 0.5, DRUMS, drum, loud - softer)] if at < end else []
        played += [(first + at, 0.5, DRUMS, _TOM, loud) for at in range(end, band.bar)]
        played += [(first, 0.5, DRUMS, _CRASH, loud - 8)] if bar % 8 == 0 and bar else []
    return played


def _timed(stroke: _Stroke, steps: int, late: float, beat_s: float, loose_s: float) -> Played:
    """Offbeat eighths of swung music come late, sixteenths between them in proportion."""
    at, length, channel, pitch, velocity = stroke
    beat, within = divmod(at / steps, 1.0)
    within = within * (1 + 2 * late) if within <= 0.5 else 0.5 + late + (within - 0.5) * (1 - 2 * late)
    return Played(max(0.0, (beat + within) * beat_s + loose_s), length / steps * beat_s, channel, pitch, velocity)
