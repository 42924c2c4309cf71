"""Composing and rendering: the same seed the same music, at a sensible level, exactly on the stated beat."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_training.synthesis import STYLES, compose, render, render_piece
from model_training.synthesis.render import LEAD_IN_S
from musrecd.errors import MusrecError


def rms_dbfs(y):
    return 20 * np.log10(np.sqrt(np.mean(y**2)))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_renders_at_a_sensible_level(style):
    y = render_piece(style, 5, 6.0, 32_000)
    assert y.shape == (6 * 32_000,)
    assert y.dtype == np.float32
    assert np.isfinite(y).all()
    assert 0.25 < np.abs(y).max() < 0.9
    assert abs(rms_dbfs(y) - STYLES[style].loudness_dbfs) < 2.0
    assert abs(y.mean()) < 1e-3


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(sorted(STYLES)),
    st.integers(0, 2**31),
    st.floats(0.5, 4.0),
    st.sampled_from([8_000, 22_050, 48_000]),
)
def test_any_seed_and_length_gives_finite_unclipped_stereo(style, seed, seconds, sr):
    y = render_piece(style, seed, seconds, sr, channels=2)
    assert y.shape == (2, round(seconds * sr))
    assert np.isfinite(y).all()
    assert np.abs(y).max() < 0.9


@pytest.mark.parametrize("style", ["techno", "swing_jazz", "ambient"])
def test_the_same_seed_gives_the_same_samples(style):
    first, second = (render_piece(style, 7, 4.0, 22_050, channels=2) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, render_piece(style, 8, 4.0, 22_050, channels=2))


def test_a_longer_cut_is_the_same_piece():
    short, long = compose("house", 4, 8.0), compose("house", 4, 30.0)
    assert (short.key, short.tempo_bpm, short.title) == (long.key, long.tempo_bpm, long.title)
    for part, longer in zip(short.parts, long.parts, strict=True):
        assert set(part.notes) <= set(longer.notes)


@pytest.mark.parametrize("style", STYLES)
def test_pieces_of_a_style_differ_within_its_tempo_range(style):
    pieces = [compose(style, seed, 20.0) for seed in range(20)]
    low, high = STYLES[style].tempo_bpm
    assert all(low <= piece.tempo_bpm <= high for piece in pieces)
    assert len({piece.tempo_bpm for piece in pieces}) >= 6
    assert len({piece.key for piece in pieces}) >= 6
    assert len({piece.instruments for piece in pieces}) >= 3
    for part in (part for piece in pieces for part in piece.parts):
        assert all(20 < note.pitch < 110 and note.length > 0 and note.start >= 0 for note in part.notes)


def test_the_beat_is_where_the_tempo_says():
    sr, piece = 22_050, compose("techno", 2, 12.0)
    kick = next(part for part in piece.parts if "kick" in part.instrument)
    dry = replace(kick, layer=replace(kick.layer, send=0.0))
    y = np.abs(render(replace(piece, parts=(dry,)), sr))
    beats = [note.start for note in kick.notes if note.start < 20 and note.start == int(note.start)]
    assert len(beats) >= 15
    for beat in beats:
        due = round((LEAD_IN_S + beat * 60 / piece.tempo_bpm) * sr)
        before, after = y[due - 220 : due - 20].max(), y[due : due + 220].max()
        assert after > 0.3
        assert before < 0.5 * after


def test_an_unknown_style_is_named_with_the_known_ones():
    with pytest.raises(MusrecError, match=r"'polka'.*techno, piano_waltz"):
        compose("polka", 0, 5.0)
