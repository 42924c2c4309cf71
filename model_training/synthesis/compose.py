"""Composing: from a style and a seed to a piece, note by note."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from zlib import crc32

import numpy as np

from model_training.synthesis import players
from model_training.synthesis.melody import play_melody
from model_training.synthesis.names import title_of
from model_training.synthesis.patterns import Bar
from model_training.synthesis.score import Kind, Layer, Note, Part, Piece, Style
from model_training.synthesis.styles import style_named
from model_training.synthesis.theory import Chord, key_name, parse_progression, scale_tones

BARS_PER_LETTER = 2

_T = TypeVar("_T")

_PLAYERS: dict[Kind, Callable[[players.Task], list[Note]]] = {
    "drum": players.play_drum,
    "bass": players.play_bass,
    "chords": players.play_chords,
    "voices": players.play_voices,
    "melody": play_melody,
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is decided before a note is written."""

    tempo_bpm: float
    tonic: int
    mode: str
    progressions: dict[str, tuple[tuple[Chord, ...], ...]]
    form: str
    title: str


def compose(style_name: str, seed: int, seconds: float) -> Piece:
    """Compose a piece of `seconds`. The same style and seed give the same piece, cut at another length."""
    style = style_named(style_name)
    seeds = (crc32(style.name.encode()), seed)
    rng = np.random.default_rng(seeds)
    plan = _plan(style, rng)
    bars = _bars(plan, style.beats_per_bar, seconds)
    return Piece(
        style=style.name,
        seed=seed,
        title=plan.title,
        tempo_bpm=plan.tempo_bpm,
        key=key_name(plan.tonic, plan.mode),
        mode=plan.mode,
        beats_per_bar=style.beats_per_bar,
        form=plan.form,
        seconds=seconds,
        parts=_parts(style, plan, bars, seeds, rng),
    )


def _pick(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    return options[int(rng.integers(len(options)))]


def _plan(style: Style, rng: np.random.Generator) -> _Plan:
    low, high = style.tempo_bpm
    mode = _pick(rng, list(style.progressions))
    tonic = int(rng.integers(12))
    texts = style.progressions[mode]
    order = rng.permutation(len(texts))
    chosen = {letter: texts[order[i % len(texts)]] for i, letter in enumerate("ABC")}
    return _Plan(
        tempo_bpm=float(rng.integers(low, high + 1)),
        tonic=tonic,
        mode=mode,
        progressions={letter: parse_progression(text, tonic) for letter, text in chosen.items()},
        form=_pick(rng, style.forms),
        title=title_of(style.name, rng),
    )


def _bars(plan: _Plan, n_beats: int, seconds: float) -> tuple[Bar, ...]:
    """Lay out the form over as many bars as `seconds` take; after its end the form begins again."""
    n_bars = int(np.ceil(seconds * plan.tempo_bpm / 60 / n_beats)) + 1
    introduction = plan.form.startswith("i")
    cycle = itertools.chain("i" * introduction, itertools.cycle(plan.form[introduction:]))
    letters = [letter for letter in itertools.islice(cycle, n_bars) for _ in range(BARS_PER_LETTER)][: n_bars + 1]
    positions = [i for _, run in itertools.groupby(letters) for i, _ in enumerate(run)]
    chords = [_chords_of(plan, letter, position) for letter, position in zip(letters, positions, strict=True)]
    return tuple(
        Bar(i, letters[i], positions[i], positions[i + 1] == 0, n_beats, chords[i], chords[i + 1][0].root)
        for i in range(n_bars)
    )


def _chords_of(plan: _Plan, letter: str, position: int) -> tuple[Chord, ...]:
    progression = plan.progressions["A" if letter == "i" else letter]
    return progression[position % len(progression)]


def _tuning(tonic: int) -> int:
    """Return how far a drum that sounds F# moves to the tonic or the fifth, whichever is nearer."""
    fsharp = 6
    moves = [(tone - fsharp + 6) % 12 - 6 for tone in (tonic, tonic + 7)]
    return min(moves, key=abs)


def _parts(
    style: Style, plan: _Plan, bars: tuple[Bar, ...], seeds: tuple[int, ...], rng: np.random.Generator
) -> tuple[Part, ...]:
    """Let every layer play. Layers that offer the same instruments or patterns take the same one."""
    taken: dict[tuple[str, ...], str] = {}
    tunings = {True: _tuning(plan.tonic), False: int(rng.integers(-2, 3))}
    parts = []
    for number, options in enumerate(style.layers):
        layer = options if isinstance(options, Layer) else _pick(rng, options)
        instrument = taken.setdefault(layer.instruments, _pick(rng, layer.instruments))
        pattern = taken.setdefault(layer.patterns, _pick(rng, layer.patterns))
        fill = _pick(rng, layer.fills) if layer.fills else None
        if rng.random() < layer.chance:
            playing = tuple(bar for bar in bars if bar.letter in layer.sections)
            scale = scale_tones(plan.tonic, plan.mode)
            task = players.Task(layer, playing, pattern, fill, scale, (*seeds, number), tunings[layer.tuned])
            parts.append(Part(instrument, layer, tuple(_PLAYERS[layer.kind](task))))
    return tuple(parts)
