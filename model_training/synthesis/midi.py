"""MIDI files as sound: played through FluidSynth with a sound font, and endlessly re-instrumented.

Needs the FluidSynth library and General MIDI sound fonts (Debian: libfluidsynth3, fluid-soundfont-gm,
timgm6mb-soundfont).
"""

import csv
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import mido
import numpy as np
import soxr

from model_training.datasets.base import Clip
from musrecd.types import FloatArray

if TYPE_CHECKING:
    from fluidsynth import Synth

FONT_FOLDERS = (Path("/usr/share/sounds/sf2"), Path("/usr/share/soundfonts"))
_SYNTH_SR = 32_000
_MAX_S = 30.0
_ECHO_S = 3
_REPLACED_SHARE = 0.6
_TRANSPOSED = 6
_DRUM_CHANNEL = 9
# Sound effects (the last bank of General MIDI) are no music.
_N_PROGRAMS = 120


def load_midi(folder: Path) -> list[Clip]:
    """Read `folder/midi.csv` (path, label, source …): pieces without genres, to be heard through `play`.

    Raises FileNotFoundError without the table.
    """
    with (folder / "midi.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    return [
        Clip(
            path=folder / row["path"],
            name=f"midi/{row['path']}",
            source=f"midi:{row['source']}",
            group=f"midi:{row['source']}",
            genres=(),
            moods=(),
        )
        for row in rows
    ]


def find_fonts(folders: Sequence[Path] = FONT_FOLDERS) -> list[Path]:
    """Sound fonts of this machine, by name. Raises FileNotFoundError if there is none."""
    fonts = sorted(p for f in folders for p in f.glob("*.sf2") if not p.is_symlink())
    if not fonts:
        raise FileNotFoundError("no sound font (*.sf2) in " + ", ".join(map(str, folders)))
    return fonts


@lru_cache(maxsize=1)
def synthesiser(fonts: tuple[Path, ...]) -> tuple["Synth", list[int]]:
    """One synthesiser with all fonts; loading them takes longer than playing a piece."""
    # Here and not above: it looks for a library that only those who play MIDI files need.
    from fluidsynth import Synth

    # The chorus goes on turning between pieces, so that none would sound the same twice.
    synth = Synth(gain=0.4, samplerate=_SYNTH_SR, **{"synth.chorus.active": 0})
    return synth, [synth.sfload(str(font)) for font in fonts]


def play(clip: Clip, sr: int, fonts: Sequence[Path]) -> FloatArray:
    """Up to 30 s of the middle of a piece, mono at `sr` Hz, (n,).

    Sound font, key and, more often than not, the instruments are drawn by the name of the piece, always the same.
    """
    rng = np.random.default_rng(crc32(clip.name.encode()))
    synth, loaded = synthesiser(tuple(fonts))
    synth.system_reset()
    # A reset stops the notes and leaves the echo of the last piece in the room.
    synth.get_samples(_ECHO_S * _SYNTH_SR)
    replaced = rng.random() < _REPLACED_SHARE
    programs = rng.integers(_N_PROGRAMS, size=16) if replaced else np.zeros(16, int)
    font = loaded[rng.integers(len(loaded))]
    for channel, program in enumerate(programs):
        drums = channel == _DRUM_CHANNEL
        synth.program_select(channel, font, 128 if drums else 0, 0 if drums else int(program))
    shift = int(rng.integers(-_TRANSPOSED, _TRANSPOSED + 1))
    blocks = list(_perform(mido.MidiFile(clip.path, clip=True), synth, shift, keep_programs=replaced))
    stereo = np.concatenate(blocks).reshape(-1, 2).astype(np.float32) / 32768
    y: FloatArray = soxr.resample(stereo.mean(1), _SYNTH_SR, sr)
    return y


def _perform(midi: mido.MidiFile, synth: "Synth", shift: int, *, keep_programs: bool) -> Iterator[np.ndarray]:
    """Play the middle of a piece; yields interleaved stereo samples."""
    start_s = max(0.0, (midi.length - _MAX_S) / 2)
    time_s = heard_s = 0.0
    for message in midi:
        time_s += message.time
        wait_s = min(time_s - start_s, _MAX_S) - heard_s
        if wait_s > 0:
            yield synth.get_samples(round(wait_s * _SYNTH_SR))
            heard_s += wait_s
        if heard_s >= _MAX_S:
            return
        if message.type in ("note_on", "note_off"):
            _send_note(message, synth, shift, sounding=time_s >= start_s)
        elif message.type == "program_change" and not keep_programs:
            synth.program_change(message.channel, message.program)
        elif message.type == "control_change":
            synth.cc(message.channel, message.control, message.value)
    yield synth.get_samples(_SYNTH_SR)


def _send_note(message: mido.Message, synth: "Synth", shift: int, *, sounding: bool) -> None:
    # What is sent before anything is asked to sound waits in a queue, which is not endless.
    if not sounding:
        return
    note = message.note + (0 if message.channel == _DRUM_CHANNEL else shift)
    if message.type == "note_on" and message.velocity:
        synth.noteon(message.channel, min(max(note, 0), 127), message.velocity)
    else:
        synth.noteoff(message.channel, min(max(note, 0), 127))
