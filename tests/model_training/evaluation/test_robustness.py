"""The nearest recording is found as the library finds it, and each variant differs as it says."""

import numpy as np
import pytest

from model_training.evaluation.robustness import nearest
from model_training.evaluation.variants import VARIANTS, cut, decode_whole, low_passed, write_variant

SR = 44_100


def test_the_nearest_is_the_row_of_the_largest_cosine():
    rng = np.random.default_rng(0)
    database = rng.standard_normal((50, 8))
    queries = 3 * database[[7, 30]] + 0.1 * rng.standard_normal((2, 8))
    assert nearest(queries, database, raw=True).tolist() == [7, 30]


def test_features_of_mixed_units_are_scaled_before_they_are_compared():
    database = np.array([[1000.0, 0.1], [1001.0, -0.1], [999.0, -0.1]])
    assert nearest(np.array([[1000.2, 0.1]]), database, raw=False).tolist() == [0]
    assert nearest(np.array([[1000.2, -0.1]]), database, raw=False)[0] != 0


def test_a_low_pass_takes_what_is_above_and_leaves_what_is_below():
    t = np.arange(SR) / SR
    low, high = (np.sin(2 * np.pi * hz * t).astype(np.float32) for hz in (1000, 10_000))
    filtered = low_passed(low + high, 8000)[4000:-4000]
    np.testing.assert_allclose(filtered, low[4000:-4000], atol=0.05)


def test_a_cut_is_the_middle():
    assert cut(np.arange(10), 4).tolist() == [3, 4, 5, 6]
    assert cut(np.arange(3), 4).tolist() == [0, 1, 2]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_the_recording_in_another_coat(tmp_path, make_audio, variant):
    y = make_audio(tmp_path / "recording.flac", 40.0, SR, 1)[0]
    written = write_variant(tmp_path / "recording.flac", variant, tmp_path)
    assert written.suffix == (".mp3" if variant == "64 kbit/s mp3" else ".flac")
    found = decode_whole(written, SR)
    seconds = {"middle 30 s": 30, "middle half": 20}.get(variant, 40)
    assert found.size == pytest.approx(seconds * SR, rel=0.01)
    # LAME takes a little off at low bit rates.
    loudness = np.sqrt(np.mean(cut(found, 10 * SR) ** 2) / np.mean(cut(y, 10 * SR) ** 2))
    assert loudness == pytest.approx(0.5 if variant == "6 dB quieter" else 1, rel=0.06)


def test_an_mp3_of_64_kbit_is_small(tmp_path, make_audio):
    make_audio(tmp_path / "recording.flac", 40.0, SR, 1)
    written = write_variant(tmp_path / "recording.flac", "64 kbit/s mp3", tmp_path)
    assert 8 * written.stat().st_size / 40 == pytest.approx(64_000, rel=0.05)
