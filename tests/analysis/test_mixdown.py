"""Frames of any format, channels and rate become their mean, whatever they change to on the way."""

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.analysis.mixdown import Mixdown

SR = 16_000
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
FORMATS = {
    "fltp": (np.float32, 1.0), "flt": (np.float32, 1.0), "dblp": (np.float64, 1.0), "s16": (np.int16, 2.0**15),
    "s16p": (np.int16, 2.0**15), "s32": (np.int32, 2.0**31), "u8": (np.uint8, 2.0**7),
}  # fmt: skip
KINDS = st.tuples(st.sampled_from(list(FORMATS)), st.sampled_from(list(LAYOUTS)), st.integers(1, 40_000))


def frame(y: np.ndarray, kind: str, sr: int = SR, pts: int | None = None) -> av.AudioFrame:
    """Make a frame of `y` (channels, n), full scale at ±1."""
    dtype, scale = FORMATS[kind]
    samples = y * scale + (scale if dtype is np.uint8 else 0)
    samples = (samples if dtype in (np.float32, np.float64) else np.round(samples)).astype(dtype)
    array = samples if kind.endswith("p") else samples.T.reshape(1, -1)
    made = av.AudioFrame.from_ndarray(np.ascontiguousarray(array), kind, LAYOUTS[len(y)])
    made.sample_rate, made.pts = sr, pts
    return made


@given(st.lists(KINDS, min_size=1, max_size=6))
def test_the_mean_of_the_channels_is_heard_whatever_changes_from_frame_to_frame(kinds):
    mixdown, expected = Mixdown(SR), []
    rng = np.random.default_rng(0)
    for kind, n_channels, n in kinds:
        y = rng.uniform(-0.9, 0.9, (n_channels, n)).astype(np.float32)
        # Time stamps of damaged files leap.
        mixdown.add(frame(y, kind, pts=int(rng.integers(-1000, 1000))))
        expected.append(y.mean(0))
    heard = mixdown.finish()
    np.testing.assert_allclose(heard, np.concatenate(expected), atol=2.0**-7)


@pytest.mark.parametrize("n", [1, 1152, 100_000])
def test_nothing_is_lost_between_blocks(n):
    y = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 200_000)).astype(np.float32)
    mixdown = Mixdown(SR)
    for start in range(0, 2000 if n == 1 else y.shape[1], n):
        mixdown.add(frame(y[:, start : start + n], "fltp"))
    heard = mixdown.finish()
    np.testing.assert_allclose(heard, y.mean(0)[: heard.size], atol=1e-6)
    assert heard.size == (2000 if n == 1 else y.shape[1])


def test_a_rate_that_changes_is_resampled_by_itself():
    t = np.arange(48_000) / 48_000
    tones = [np.sin(2 * np.pi * 440 * t)[None].astype(np.float32), np.sin(2 * np.pi * 440 * t[:24_000] * 2)[None] / 2]
    mixdown = Mixdown(SR)
    mixdown.add(frame(tones[0], "flt", 48_000))
    mixdown.add(frame(tones[1], "s16", 24_000))
    heard = mixdown.finish()
    assert heard.size == pytest.approx(2 * SR, abs=2)
    assert np.abs(heard[1000:15_000]).max() == pytest.approx(1, abs=0.01)
    assert np.abs(heard[SR + 1000 :]).max() == pytest.approx(0.5, abs=0.01)


def test_channels_that_are_no_numbers_are_silent_and_nothing_but_them_is_nothing():
    good, bad = np.full((2, 30_000), 0.25, np.float32), np.full((2, 30_000), np.nan, np.float32)
    mixdown, only_bad = Mixdown(SR), Mixdown(SR)
    for each in (bad, good):
        mixdown.add(frame(each, "fltp"))
    only_bad.add(frame(bad, "fltp"))
    heard = mixdown.finish()
    assert np.isfinite(heard).all()
    assert heard[-5000:] == pytest.approx(0.25)
    assert only_bad.finish().size == 0
