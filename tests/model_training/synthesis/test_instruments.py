"""Every instrument: finite, of unit peak, silent at its end, and in tune if it has a pitch."""

import numpy as np
import pytest

from model_training.synthesis.drums import VOICES as DRUMS
from model_training.synthesis.instruments import INSTRUMENTS
from model_training.synthesis.tones import Tone, partials

SR = 44_100
UNPITCHED = {"wind", "crackle"} | set(DRUMS)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_tones_are_sound_of_unit_peak_that_ends_in_silence(name):
    y = INSTRUMENTS[name](Tone(55, SR // 4, SR))
    assert y.dtype == np.float32
    assert np.isfinite(y).all()
    assert np.abs(y).max() == pytest.approx(1.0, abs=0.01)
    assert abs(y[-1]) < 1e-3
    assert len(y) >= SR // 20


@pytest.mark.parametrize("name", sorted(set(INSTRUMENTS) - UNPITCHED))
@pytest.mark.parametrize("pitch", [43, 64])
def test_pitched_instruments_are_in_tune(name, pitch):
    y = INSTRUMENTS[name](Tone(pitch, SR // 2, SR))
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 8 * SR))
    cents = np.arange(-90, 91, 2)
    hz = Tone(pitch, 0, SR).hz * 2.0 ** (cents / 1200)
    strength = [sum(spectrum[round(f * k * 8)] for k in range(1, 5)) for f in hz]
    assert abs(cents[int(np.argmax(strength))]) <= 16


def test_the_same_tone_sounds_the_same_and_another_stroke_differs():
    snare = INSTRUMENTS["rock snare"]
    assert np.array_equal(snare(Tone(60, 0, SR)), snare(Tone(60, 0, SR)))
    assert not np.array_equal(snare(Tone(60, 0, SR)), snare(Tone(60, 0, SR, seed=1)))


def test_partials_equal_the_sum_of_their_sines():
    freqs, amps, decays = np.array([220.0, 445.0, 1313.0]), np.array([1.0, 0.5, 0.2]), np.array([1.0, 3.0, 0.0])
    t = np.arange(5000)[:, np.newaxis] / SR
    expected = np.sum(amps * np.exp(-decays * t) * np.sin(2 * np.pi * freqs * t), axis=1)
    assert np.abs(partials(freqs, amps, 5000, SR, decays=decays) - expected).max() < 1e-5


def test_gains_of_partials_move_in_straight_lines():
    gains = np.linspace(0.0, 1.0, 21)[:, np.newaxis]  # 20 blocks of 256 samples
    t = np.arange(5120)
    expected = t / 5120 * np.sin(2 * np.pi * 300.0 * t / SR)
    y = partials(np.array([300.0]), np.array([1.0]), 5120, SR, gains=gains)
    assert np.abs(y - expected).max() < 1e-5
