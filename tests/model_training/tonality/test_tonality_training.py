from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_training.synthesis.theory import parse_progression
from model_training.tonality.band_styles import BANDS
from model_training.tonality.bands import arrange
from model_training.tonality.harmony import IDIOMS
from model_training.tonality.learn import Example, learn, moved
from model_training.tonality.play import read_tune
from model_training.tonality.score import mirex_score
from model_training.tonality.songs import DRUMS, invent
from musrecd.analysis.pitch import N_PITCHES
from musrecd.analysis.tonality import network_scores
from musrecd.keys import KEYS, transposed

keys = st.sampled_from(KEYS)


@pytest.mark.parametrize(
    ("said", "score"),
    [("C", 1), ("G", 0.5), ("F", 0.5), ("Am", 0.3), ("Cm", 0.2), ("Em", 0), ("D", 0), ("C#m", 0)],
)
def test_near_misses_count_as_mirex_counts_them(said, score):
    assert mirex_score("C", said) == score


@given(keys, keys, st.integers(0, 11))
def test_the_score_is_the_same_in_all_transpositions(truth, said, shift):
    assert mirex_score(transposed(truth, shift), transposed(said, shift)) == mirex_score(truth, said)


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.name)
def test_every_progression_can_be_read_and_touches_its_key(idiom):
    for text in idiom.progressions:
        tones = {tone for bar in parse_progression(text, 0) for chord in bar for tone in chord.tones}
        assert 0 in tones, text


def test_songs_are_the_same_again_and_differ_from_each_other():
    assert invent(3, 10.0) == invent(3, 10.0)
    songs = [invent(seed, 10.0) for seed in range(60)]
    assert len({song.key for song in songs}) > 15
    for song in songs:
        pitched = [note for note in song.notes if note.channel != DRUMS]
        assert pitched
        assert all(0 <= note.start_s < 20 and note.length_s > 0 for note in song.notes)


def test_songs_keep_to_their_key():
    """Most of what is played is in the scale, whatever is borrowed."""
    shares = []
    for song in (invent(seed, 15.0) for seed in range(40)):
        tonic = KEYS.index(song.key) % 12
        natural = {0, 2, 3, 5, 7, 8, 10, 11, 9} if song.key.endswith("m") else {0, 2, 4, 5, 7, 9, 11, 10}
        pitched = [note.pitch for note in song.notes if note.channel != DRUMS]
        shares.append(np.mean([(pitch - tonic) % 12 in natural for pitch in pitched]))
    assert np.mean(shares) > 0.9


def written_tune(path: Path, *keys: str, bass: int | None = None) -> Path:
    track = mido.MidiTrack([mido.MetaMessage("key_signature", key=key) for key in keys])
    for pitch in (60, 64, 67, 72):
        track += [mido.Message("note_on", note=pitch, velocity=80), mido.Message("note_off", note=pitch, time=480)]
    if bass is not None:
        track += [mido.Message("note_on", note=bass, velocity=80), mido.Message("note_off", note=bass, time=480)]
    mido.MidiFile(tracks=[track]).save(path)
    return path


@pytest.mark.parametrize("seed", range(5))
def test_a_tune_and_its_key_move_together(tmp_path, seed):
    song = read_tune(written_tune(tmp_path / "tune.mid", "C"), seed, 10.0)
    assert {note.pitch % 12 for note in song.notes} == {(KEYS.index(song.key) + step) % 12 for step in (0, 4, 7)}


@pytest.mark.parametrize("signatures", [(), ("C", "G")])
def test_tunes_that_name_no_single_key_are_left_out(tmp_path, signatures):
    assert read_tune(written_tune(tmp_path / "tune.mid", *signatures), 0, 10.0) is None


@pytest.mark.parametrize("seed", range(5))
def test_modes_that_are_written_as_major_keys_are_left_out(tmp_path, seed):
    """A tune with the signature of C that ends on D is in D dorian, whatever its file says."""
    assert read_tune(written_tune(tmp_path / "tune.mid", "C", bass=50), seed, 10.0) is None
    assert read_tune(written_tune(tmp_path / "tune.mid", "C", bass=48), seed, 10.0) is not None


@given(st.integers(-11, 11))
def test_what_leaves_at_one_end_does_not_come_back(shift):
    heard = moved(np.ones((2, N_PITCHES), np.float32), shift)
    assert heard.sum() == 2 * (N_PITCHES - abs(shift))


def test_keys_can_be_learnt():
    rng = np.random.default_rng(0)
    examples = []
    for key in range(24):
        loudness = rng.uniform(0, 0.1, (40, N_PITCHES)).astype(np.float32)
        for step in (0, 3 if key >= 12 else 4, 7):
            loudness[:, (key + step) % 12 :: 12] += 2
        examples.append(Example(loudness, key))
    weights = learn(examples * 4, epochs=25)
    right = [
        int(network_scores(example.loudness, weights, begins=True).argmax()) == example.key for example in examples
    ]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("name", BANDS)
def test_all_patterns_of_a_band_are_bars_of_one_length(name):
    band = BANDS[name]
    drums = [pattern for patterns in band.drums.values() for pattern in patterns]
    assert {len(pattern) for pattern in (*band.bass, *band.chords, *drums)} == {band.bar}
    assert band.bar % band.steps == 0


def test_bands_play_in_their_key_and_on_their_beat():
    assert arrange(3, 10.0) == arrange(3, 10.0)
    shares, on_beat = [], []
    for song in (arrange(seed, 15.0) for seed in range(60)):
        tonic = KEYS.index(song.key) % 12
        natural = {0, 2, 3, 5, 7, 8, 10, 11, 9} if song.key.endswith("m") else {0, 2, 4, 5, 7, 9, 11, 10}
        pitched = [note for note in song.notes if note.channel != DRUMS]
        shares.append(np.mean([(note.pitch - tonic) % 12 in natural for note in pitched]))
        beats = np.array([note.start_s * song.bpm / 60 for note in pitched])
        on_beat.append(np.mean(np.abs(beats - np.round(beats)) < 0.1))
        assert all(0 <= note.start_s < 25 and note.length_s > 0 for note in song.notes)
    assert np.mean(shares) > 0.95
    assert np.mean(on_beat) > 0.4
