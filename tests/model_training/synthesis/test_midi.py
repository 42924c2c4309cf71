"""MIDI files become sound: as long as they are, always the same, with the notes they hold."""

import ctypes.util

import mido
import numpy as np
import pytest

from model_training.datasets.base import Clip
from model_training.synthesis import midi

SR = 16_000


@pytest.fixture(scope="module")
def fonts():
    if not ctypes.util.find_library("fluidsynth"):
        pytest.skip("the FluidSynth library is not installed")
    try:
        return midi.find_fonts()
    except FileNotFoundError as error:
        pytest.skip(str(error))


def write_piece(path, notes, beats_each=1):
    """Notes one after the other at 120 beats a minute, on one channel."""
    piece = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    piece.tracks.append(track)
    for note in notes:
        track.append(mido.Message("note_on", note=note, velocity=100))
        track.append(mido.Message("note_off", note=note, time=480 * beats_each))
    piece.save(path)
    return Clip(path, path.name, "midi:test", "midi:test", (), ())


def test_a_piece_lasts_as_long_as_its_notes_and_one_second_more(tmp_path, fonts):
    y = midi.play(write_piece(tmp_path / "a.mid", [60] * 8), SR, fonts)
    assert y.dtype == np.float32
    assert len(y) == pytest.approx(5 * SR, rel=0.01)
    assert np.abs(y).max() > 0.01
    assert np.abs(y).max() < 2


def test_of_a_long_piece_thirty_seconds_are_heard(tmp_path, fonts):
    y = midi.play(write_piece(tmp_path / "a.mid", [60] * 200), SR, fonts)
    assert len(y) == pytest.approx(30 * SR, rel=0.01)


def test_a_piece_always_sounds_the_same(tmp_path, fonts):
    clip = write_piece(tmp_path / "a.mid", [60, 64, 67])
    other = write_piece(tmp_path / "b.mid", [48, 50])
    first = midi.play(clip, SR, fonts)
    midi.play(other, SR, fonts)
    again = midi.play(clip, SR, fonts)
    # The walls of the reverberation move a little all the time.
    assert np.corrcoef(again, first)[0, 1] > 0.99


def test_what_is_no_midi_file_is_an_error(tmp_path, fonts):
    (tmp_path / "a.mid").write_bytes(b"RIFF no MThd here")
    with pytest.raises((OSError, EOFError)):
        midi.play(Clip(tmp_path / "a.mid", "a.mid", "midi:test", "g", (), ()), SR, fonts)


def test_without_fonts_it_is_said_where_they_were_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="no sound font"):
        midi.find_fonts([tmp_path])


def test_the_table_gives_the_pieces_without_genres(tmp_path):
    (tmp_path / "midi.csv").write_text("path,label,source\nset/a.mid,reels,set\n", encoding="utf-8")
    (clip,) = midi.load_midi(tmp_path)
    assert (clip.name, clip.source, clip.genres) == ("midi/set/a.mid", "midi:set", ())
    assert clip.path == tmp_path / "set" / "a.mid"
