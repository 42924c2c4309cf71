"""Variations are reproducible sound made of training clips alone."""

from pathlib import Path

import numpy as np
import pytest

from model_training.datasets.base import Clip
from model_training.examples import Example, Layer, originals, render, variations
from model_training.plan import plan_examples
from model_training.splits import read_validation

SR = 16_000


def tone(frequency: float, seconds: float = 4.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * SR)) / SR)).astype(np.float32)


SOUNDS = {
    0: tone(440),
    1: tone(1000, 2.0, 0.01),
    2: np.zeros(SR, np.float32),
    3: np.random.default_rng(0).uniform(-1, 1, 3 * SR).astype(np.float32),
}


def loudest_frequency(y: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(y * np.hanning(len(y)))).argmax() * SR / len(y))


def clips() -> list[Clip]:
    """Forty clips, every fourth of them on the committed validation list."""
    validating = sorted(read_validation())[:10]
    names = [validating[i // 4] if i % 4 == 0 else f"taffc/training{i}.opus" for i in range(40)]
    return [Clip(Path(name), name, "taffc", f"artist:{name}", (), ()) for name in names]


def test_a_validation_clip_is_never_in_a_variation():
    examples = plan_examples(clips(), [], read_validation(), 2000)
    made = [example for example in examples if not example.is_original]
    used = {layer.clip for example in made for layer in example.layers}
    validation = read_validation()
    assert len(made) == 2000
    assert used == {i for i, clip in enumerate(clips()) if clip.name not in validation}


def test_every_clip_is_heard_once_as_it_is_and_first():
    examples = plan_examples(clips(), [], read_validation(), 5)
    assert [e.layers for e in examples[:40]] == [(Layer(i),) for i in range(40)]
    assert all(e.is_original for e in originals(clips()))
    assert not any(e.is_original for e in examples[40:])


def test_the_same_seed_gives_the_same_variations_and_fewer_are_the_first_of_more():
    sounds = range(20), range(20, 30)
    assert variations(*sounds, 50, seed=3) == variations(*sounds, 50, seed=3)
    assert variations(*sounds, 20, seed=3) == variations(*sounds, 50, seed=3)[:20]
    assert variations(*sounds, 50, seed=3) != variations(*sounds, 50, seed=4)


def test_pieces_take_a_part_and_each_comes_before_any_comes_twice():
    made = variations(range(20), range(20, 120), 400, seed=0)
    pieces = [example.layers[0].clip for example in made if example.layers[0].clip >= 20]
    assert 0.1 < len(pieces) / 400 < 0.3
    assert len(set(pieces)) == len(pieces)
    assert all(layer.clip < 20 for example in made for layer in example.layers[1:])


def test_some_variations_are_mixtures_and_some_are_not():
    n_mixed = sum(len(example.layers) == 2 for example in variations(range(20), [], 400, seed=0))
    assert 0.5 < n_mixed / 400 < 0.8


def test_rendering_is_deterministic_and_finite():
    for example in variations(list(SOUNDS), [], 60, seed=1):
        first, second = (render(example, SOUNDS.__getitem__, SR) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
        assert np.abs(first).max() <= 1
        assert first.size


def test_an_original_is_not_touched():
    assert render(Example((Layer(3),)), SOUNDS.__getitem__, SR) is SOUNDS[3]


@pytest.mark.parametrize("speed", [0.88, 1.1, 1.14])
def test_faster_is_higher_and_shorter(speed):
    y = render(Example((Layer(0, speed),)), SOUNDS.__getitem__, SR)
    assert len(y) == pytest.approx(len(SOUNDS[0]) / speed, abs=2)
    assert loudest_frequency(y) == pytest.approx(440 * speed, rel=0.005)


def test_layers_are_equally_loud_at_nought_decibels_however_loud_the_clips_are():
    for gain_db in (0.0, -12.0):
        y = render(Example((Layer(0), Layer(1, 1.0, gain_db))), SOUNDS.__getitem__, SR)
        spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
        low, high = (spectrum[round(f * len(y) / SR)] for f in (440, 1000))
        assert 20 * np.log10(high / low) == pytest.approx(gain_db, abs=0.5)


def test_the_shorter_layer_is_repeated_to_the_end():
    y = render(Example((Layer(0), Layer(1))), SOUNDS.__getitem__, SR)
    assert len(y) == len(SOUNDS[0])
    assert abs(np.fft.rfft(y[-SR:] * np.hanning(SR))[1000]) > 100


def test_nothing_is_longer_than_half_a_minute():
    y = render(Example((Layer(0, 0.9),)), lambda i: tone(300, 40.0), SR)
    assert len(y) == 30 * SR
