"""Harmony and notation: chords are read, voiced and written as their names promise."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_training.synthesis.patterns import read_pattern
from model_training.synthesis.score import Layer
from model_training.synthesis.styles import STYLES
from model_training.synthesis.theory import (
    Chord,
    close_voicing,
    four_voices,
    key_name,
    nearest,
    parse_chord,
    parse_progression,
)


@pytest.mark.parametrize(
    ("numeral", "tonic", "tones"),
    [
        ("I", 0, (0, 4, 7)),
        ("i", 9, (9, 0, 4)),
        ("V7", 0, (7, 11, 2, 5)),
        ("bVII", 2, (0, 4, 7)),
        ("ii7b5", 9, (11, 2, 5, 9)),
        ("Imaj9", 5, (5, 9, 0, 4, 7)),
        ("IV5", 4, (9, 4)),
    ],
)
def test_chords_are_read_over_their_tonic(numeral, tonic, tones):
    assert parse_chord(numeral, tonic).tones == tones


def test_what_is_no_chord_is_refused():
    with pytest.raises(ValueError, match="not a chord: 'H7'"):
        parse_chord("H7", 0)


@pytest.mark.parametrize(
    ("tonic", "mode", "name"), [(1, "minor", "C#m"), (10, "major", "A#"), (4, "dorian", "Em"), (7, "lydian", "G")]
)
def test_keys_are_named_by_tonic_and_third(tonic, mode, name):
    assert key_name(tonic, mode) == name


@given(st.integers(0, 11), st.sampled_from(["I", "ii7", "V7b9", "Imaj9", "i5", "V13"]), st.integers(1, 5))
def test_close_voicings_hold_tones_of_the_chord_in_rising_order(tonic, numeral, n_voices):
    chord = parse_chord(numeral, tonic)
    voicing = close_voicing(chord, (55, 70), n_voices)
    assert len(voicing) == n_voices
    assert all(a < b for a, b in itertools.pairwise(voicing))
    assert {pitch % 12 for pitch in voicing} <= set(chord.tones)


@given(st.integers(0, 11))
def test_four_voices_move_without_parallel_fifths_or_octaves(tonic):
    voices, previous = (), ()
    for (chord,) in parse_progression("I | vi | IV | V | I", tonic):
        previous, voices = voices, four_voices(chord, voices)
        assert voices[0] % 12 == chord.root
        for a, b in itertools.combinations(range(4), 2) if previous else ():
            interval = (voices[b] - voices[a]) % 12
            parallel = interval == (previous[b] - previous[a]) % 12 and voices[a] != previous[a]
            assert not (parallel and interval in (0, 7))


@given(st.integers(0, 11), st.floats(30, 90))
def test_the_nearest_pitch_is_at_most_half_an_octave_away(pitch_class, goal):
    pitch = nearest((pitch_class,), goal)
    assert pitch % 12 == pitch_class
    assert abs(pitch - goal) <= 6.5


def test_patterns_are_read_with_holds_over_the_bar_line():
    first, second = read_pattern("x---..X.....o---|--..............", 4)
    assert [(stroke.at, stroke.length, stroke.sign) for stroke in first] == [
        (0.0, 1.0, "x"),
        (1.5, 0.25, "X"),
        (3.0, 1.5, "o"),
    ]
    assert second == ()


def test_a_pattern_that_does_not_fill_its_bar_is_refused():
    with pytest.raises(ValueError, match="has 5 steps"):
        read_pattern("x....", 4)


@pytest.mark.parametrize("style", STYLES.values(), ids=list(STYLES))
def test_every_pattern_and_progression_of_a_style_can_be_read(style):
    for option in style.layers:
        for layer in (option,) if isinstance(option, Layer) else option:
            for pattern in (*layer.patterns, *layer.fills):
                assert read_pattern(pattern, style.beats_per_bar)
    for text in itertools.chain.from_iterable(style.progressions.values()):
        assert all(isinstance(chord, Chord) for bar in parse_progression(text, 0) for chord in bar)
