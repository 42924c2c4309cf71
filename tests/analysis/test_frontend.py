"""The front-end is librosa's log-mel spectrum; chunks cover what was heard."""

import json

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.analysis.frontend import FrontendConfig, chunks, log_mel

CONFIG = FrontendConfig()
SMALL = FrontendConfig(sr=100, n_fft=16, hop_length=8, n_mels=4, chunk_s=1.0)
# Largest difference to librosa in dB, in all that lies within 90 dB of the loudest point; below that, both
# show the rounding of float32.
TOLERANCE_DB = 0.01


def filters(config: FrontendConfig = CONFIG) -> np.ndarray:
    return librosa.filters.mel(sr=config.sr, n_fft=config.n_fft, n_mels=config.n_mels)


def reference(y: np.ndarray, config: FrontendConfig = CONFIG) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=y,
        sr=config.sr,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        power=2.0,
        center=True,
        pad_mode="constant",
    )
    return 10 * np.log10(np.maximum(power, 1e-10))


def difference_db(y: np.ndarray, config: FrontendConfig = CONFIG) -> float:
    ours, theirs = log_mel(y, config, filters(config)), reference(y, config)
    assert ours.shape == theirs.shape
    heard = theirs > max(theirs.max() - 90, -99)
    return float(np.abs(ours - theirs)[heard].max(initial=0.0))


def sounds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    t = np.arange(10 * CONFIG.sr) / CONFIG.sr
    return {
        "noise": 0.3 * rng.standard_normal(t.size),
        "soft noise": 1e-4 * rng.standard_normal(t.size),
        "tone": 0.9 * np.sin(2 * np.pi * 440 * t),
        "chord": sum(0.2 * np.sin(2 * np.pi * f * t) for f in (110, 277.18, 329.63, 7900)),
        "sweep": 0.5 * np.sin(2 * np.pi * (20 * t + 390 * t**2)),
        "clicks": (np.arange(t.size) % 4000 == 0).astype(float),
        "constant": np.full(t.size, 0.5),
        "clipped": np.sign(np.sin(2 * np.pi * 200 * t)),
        "silence": np.zeros(t.size),
    }


@pytest.mark.parametrize("kind", sounds())
def test_log_mel_is_that_of_librosa(kind):
    assert difference_db(sounds()[kind].astype(np.float32)) < TOLERANCE_DB


def test_log_mel_of_music_is_that_of_librosa(rendered_files, hear):
    for path in rendered_files:
        assert difference_db(hear(path)[0]) < TOLERANCE_DB, path.name


@pytest.mark.parametrize(
    "config",
    [
        FrontendConfig(sr=22_050, n_fft=2048, hop_length=512, n_mels=128),
        FrontendConfig(sr=8_000, n_fft=256, hop_length=100, n_mels=32),
        FrontendConfig(sr=16_000, n_fft=400, hop_length=160, n_mels=64),
    ],
)
def test_other_parameters_are_those_of_librosa_too(config):
    y = 0.3 * np.random.default_rng(1).standard_normal(3 * config.sr)
    assert difference_db(y.astype(np.float32), config) < TOLERANCE_DB


@given(st.integers(1, 200_000))
def test_there_is_one_frame_for_every_hop_and_one_more(n):
    config = FrontendConfig()
    S = log_mel(np.zeros(n, np.float32), config, np.ones((config.n_mels, 257), np.float32))
    assert S.shape == (config.n_mels, 1 + n // config.hop_length)
    assert S.dtype == np.float32


def test_blocks_leave_no_seam():
    """A stationary sound looks the same in every frame, also where one block of frames meets the next."""
    y = np.tile(np.random.default_rng(2).standard_normal(CONFIG.hop_length), 700).astype(np.float32)
    S = log_mel(y, CONFIG, filters())[:, 2:-2]
    assert np.abs(S - S[:, :1]).max() < 0.01


def test_digital_silence_is_the_floor():
    S = log_mel(np.zeros(16_000, np.float32), CONFIG, filters())
    np.testing.assert_allclose(S, -100, atol=1e-3)


def test_half_the_amplitude_is_six_decibels_less():
    y = (0.5 * np.random.default_rng(3).standard_normal(16_000)).astype(np.float32)
    louder, softer = (log_mel(gain * y, CONFIG, filters()) for gain in (1.0, 0.5))
    np.testing.assert_allclose(louder - softer, 20 * np.log10(2), atol=1e-3)


def test_a_chunk_has_as_many_frames_as_the_configuration_says():
    S = log_mel(np.zeros(CONFIG.chunk_length, np.float32), CONFIG, filters())
    assert CONFIG.chunk_length == 160_000
    assert S.shape == (CONFIG.n_mels, CONFIG.chunk_frames)


def test_the_parameters_survive_the_card():
    config = FrontendConfig(sr=22_050, chunk_s=3.0)
    assert FrontendConfig(**json.loads(json.dumps(config.to_dict()))) == config


@given(st.integers(100, 5000))
def test_chunks_cover_everything_evenly(n):
    cut = chunks(np.arange(n, dtype=np.float32), SMALL)
    starts = cut[:, 0]
    assert cut.shape == (-(-n // 100), 100)
    assert (np.diff(cut, axis=1) == 1).all()
    assert set(cut.ravel()) == set(range(n))
    if len(starts) > 1:
        assert np.ptp(np.diff(starts)) <= 1


@given(st.integers(1, 99))
def test_what_is_shorter_than_a_chunk_is_repeated_until_it_fills_one(n):
    y = np.arange(n, dtype=np.float32)
    cut = chunks(y, SMALL)
    assert cut.shape == (1, 100)
    np.testing.assert_array_equal(cut[0], np.arange(100) % n)


def test_one_chunk_is_itself():
    y = np.random.default_rng(4).standard_normal(100).astype(np.float32)
    np.testing.assert_array_equal(chunks(y, SMALL), y[None])
