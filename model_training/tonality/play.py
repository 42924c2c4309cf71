"""Notes as sound, through FluidSynth: invented songs, and traditional tunes whose files name their key."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mido
import numpy as np
import soxr

from model_training.synthesis.midi import find_fonts, synthesiser
from model_training.synthesis.theory import NOTES
from model_training.tonality.songs import DRUMS, Played, Song
from musrecd.types import FloatArray

if TYPE_CHECKING:
    from fluidsynth import Synth

_SYNTH_SR = 32_000
_ECHO_S = 2
_SHARP = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
_N_MELODIC = 112
_HIGHEST_BASS = 54


def play_song(song: Song, font: int, seconds: float, sr: int) -> FloatArray:
    """Play a song with the sound font of that number: (n,), mono at `sr` Hz."""
    synth, fonts = synthesiser(tuple(find_fonts()))
    synth.system_reset()
    # A reset stops the notes and leaves the echo of the last piece in the room.
    synth.get_samples(_ECHO_S * _SYNTH_SR)
    loaded = fonts[font % len(fonts)]
    for channel, program in song.programs.items():
        synth.program_select(channel, loaded, 0, program)
    synth.program_select(DRUMS, loaded, 128, 0)
    stereo = np.concatenate(list(_sound(song.notes, synth, seconds))).reshape(-1, 2)
    y: FloatArray = soxr.resample(stereo.astype(np.float32).mean(1) / 32768, _SYNTH_SR, sr)
    return y


def _sound(notes: Sequence[Played], synth: "Synth", seconds: float) -> Iterator[np.ndarray]:
    """Yield interleaved stereo samples up to `seconds`."""
    events = [(n.start_s, 1, n) for n in notes] + [(n.start_s + max(0.04, n.length_s), 0, n) for n in notes]
    now = 0
    for time_s, is_on, note in sorted(events, key=lambda event: event[:2]):
        if time_s >= seconds:
            break
        due = round(time_s * _SYNTH_SR)
        if due > now:
            yield synth.get_samples(due - now)
            now = due
        if is_on:
            synth.noteon(note.channel, min(max(note.pitch, 0), 127), note.velocity)
        else:
            synth.noteoff(note.channel, min(max(note.pitch, 0), 127))
    yield synth.get_samples(max(1, round(seconds * _SYNTH_SR) - now))


def read_tune(path: Path, seed: int, seconds: float) -> Song | None:
    """Read the middle of a MIDI file in another key and with other instruments; None if it does not name one key.

    None, too, if its last bass note is not the tonic: MIDI files write modes as the major key of the same signature.
    """
    rng = np.random.default_rng(seed)
    midi = mido.MidiFile(path, clip=True)
    signatures = {message.key for track in midi.tracks for message in track if message.type == "key_signature"}
    if len(signatures) != 1:
        return None
    written = signatures.pop()
    tonic, suffix = (written[:-1], "m") if written.endswith("m") else (written, "")
    shift = int(rng.integers(-6, 6))
    key = NOTES[(NOTES.index(_SHARP.get(tonic, tonic)) + shift) % 12] + suffix
    start_s = max(0.0, (midi.length - seconds) / 2)
    played = list(_notes(midi, shift, -start_s))
    bass = [note for note in played if note.pitch <= _HIGHEST_BASS + shift and note.channel != DRUMS]
    if bass and max(bass, key=_lateness).pitch % 12 != NOTES.index(key.removesuffix("m")):
        return None
    notes = tuple(note for note in played if note.start_s >= 0)
    programs = {channel: int(rng.integers(_N_MELODIC)) for channel in range(16) if channel != DRUMS}
    return Song(key, notes, programs)


def _lateness(note: Played) -> tuple[float, int]:
    """Of notes that begin together the lower one comes last."""
    return note.start_s, -note.pitch


def _notes(midi: mido.MidiFile, shift: int, time_s: float) -> Iterator[Played]:
    begun: dict[tuple[int, int], tuple[float, int]] = {}
    for message in midi:
        time_s += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        place = (message.channel, message.note)
        if place in begun:
            start_s, velocity = begun.pop(place)
            pitch = message.note + (0 if message.channel == DRUMS else shift)
            yield Played(start_s, time_s - start_s, message.channel, pitch, velocity)
        if message.type == "note_on" and message.velocity:
            begun[place] = (time_s, message.velocity)
