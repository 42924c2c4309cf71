"""Rendering: from a piece to samples."""

from functools import lru_cache

import numpy as np

from model_training.synthesis import effects
from model_training.synthesis.compose import compose
from model_training.synthesis.instruments import INSTRUMENTS
from model_training.synthesis.score import Note, Part, Piece, Style
from model_training.synthesis.styles import style_named
from model_training.synthesis.tones import Tone
from musrecd.types import FloatArray

LEAD_IN_S = 0.05  # silence before the first beat
_STROKES = 3  # different sounds of one drum
_LEVELS = (0.35, 0.65, 1.0)  # the colours between which a velocity chooses


def render_piece(style: str, seed: int, seconds: float, sr: int, *, channels: int = 1) -> FloatArray:
    """Compose and render a piece: (n,) for one channel, (2, n) for two, float32 in [-1, 1]."""
    return render(compose(style, seed, seconds), sr, channels=channels)


def render(piece: Piece, sr: int, *, channels: int = 1) -> FloatArray:
    """Play a piece at `sr` Hz: (n,) for one channel, (2, n) for two, float32 in [-1, 1]."""
    style = style_named(piece.style)
    n = round(piece.seconds * sr)
    kicks = [_start(note, piece, style, sr) for part in piece.parts if "kick" in part.instrument for note in part.notes]
    push = effects.pumping(kicks, n, sr)
    mix = np.zeros((2, n), dtype=np.float32)
    send = np.zeros(n, dtype=np.float32)
    for number, part in enumerate(piece.parts):
        y = _play(part, piece, style, sr, number=number)
        if part.layer.echo:
            y = effects.echo(y, int(0.75 * 60 / piece.tempo_bpm * sr), part.layer.echo)
        if part.layer.duck:
            y *= 1 - np.float32(part.layer.duck) * push
        _place(y, part, mix, sr)
        send += np.float32(part.layer.send) * y
    mix += effects.reverberate(send, style.room_s, sr)
    if channels == 1:
        mix = mix.mean(axis=0, keepdims=True)
    mix = effects.master(mix, sr, style.loudness_dbfs)
    mix = effects.fade_out(mix, int(min(1.5, 0.08 * piece.seconds) * sr))
    return mix[0] if channels == 1 else mix


def _place(y: FloatArray, part: Part, mix: FloatArray, sr: int) -> None:
    """Add a part to both channels with equal power; its width is a delay of the right one."""
    angle = (part.layer.pan + 1) * np.pi / 4
    mix[0] += np.float32(np.cos(angle) * np.sqrt(2)) * y
    mix[1] += np.float32(np.sin(angle) * np.sqrt(2)) * effects.delayed(y, int(part.layer.width * sr))


def _start(note: Note, piece: Piece, style: Style, sr: int) -> int:
    """Return the sample at which a note is due, swing included."""
    pairs, within = divmod(note.start, style.swing_beats)
    share = within / style.swing_beats
    swung = 2 * style.swing * share if share <= 0.5 else 1 - 2 * (1 - style.swing) * (1 - share)
    beat = (pairs + swung) * style.swing_beats
    return int((LEAD_IN_S + beat * 60 / piece.tempo_bpm) * sr)


def _play(part: Part, piece: Piece, style: Style, sr: int, *, number: int) -> FloatArray:
    """Return the part alone (n,), each note a little early or late, louder or softer than written."""
    rng = np.random.default_rng([piece.seed, number, 1])
    n_notes = len(part.notes)
    late = rng.normal(0.0, style.looseness_s, n_notes)
    loud = np.exp(rng.normal(0.0, 0.06, n_notes))
    strokes = rng.integers(_STROKES, size=n_notes)
    is_drum = part.layer.kind == "drum"
    cache: dict[Tone, FloatArray] = {}
    y = np.zeros(round(piece.seconds * sr), dtype=np.float32)
    for note, lateness, factor, stroke in zip(part.notes, late, loud, strokes, strict=True):
        level = min(_LEVELS, key=lambda edge: abs(edge - note.velocity))
        if is_drum:
            tone = _drum(part.instrument, Tone(note.pitch, 0, sr, level, int(stroke)))
        else:
            wanted = Tone(note.pitch, int(note.length * 60 / piece.tempo_bpm * 0.97 * sr), sr, level, number)
            if wanted not in cache:
                cache[wanted] = INSTRUMENTS[part.instrument](wanted)
            tone = cache[wanted]
        start = max(0, _start(note, piece, style, sr) + int(lateness * sr))
        room = y[start : start + len(tone)]
        room += np.float32(part.layer.gain * note.velocity**1.5 * factor) * tone[: len(room)]
    return y


@lru_cache(maxsize=512)
def _drum(instrument: str, tone: Tone) -> FloatArray:
    return INSTRUMENTS[instrument](tone)
