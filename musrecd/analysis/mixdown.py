"""Decoded frames become mono sound at one sample rate, a block at a time."""

import numpy as np
import soxr
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame, format_dtypes

from musrecd.types import FloatArray

# Lossy codecs overshoot full scale, loud ones at low rates by 7 dB; what is far above that is no sound.
_MAX_SAMPLE = 8.0
# Frames are short and numpy's calls dear: many are mixed at once, but no more than fit the processor's cache.
_BLOCK_SAMPLES = 1 << 14


class Mixdown:
    """Takes frames of any format and gives their mean over the channels at `sr` Hz, full scale at ±1.

    Chained streams may change format and rate on the way. Samples that are no numbers become zero.
    """

    def __init__(self, sr: int) -> None:
        self._sr = sr
        self._runs: list[_Run] = []

    def add(self, frame: AudioFrame) -> None:
        """Take the next frame."""
        if frame.sample_rate <= 0 or not frame.samples:
            return
        if not self._runs or self._runs[-1].rate != frame.sample_rate:
            self._runs.append(_Run(frame.sample_rate, self._sr))
        self._runs[-1].add(frame)

    def finish(self) -> FloatArray:
        """Return all that was taken, (n,); nothing if none of its samples was a number."""
        ys = [run.finish() for run in self._runs]
        return np.concatenate(ys) if any(run.is_sound for run in self._runs) else np.empty(0, np.float32)


class _Run:
    """Frames in a row at one sample `rate`. `is_sound`: whether any sample so far was a number."""

    def __init__(self, rate: int, sr: int) -> None:
        self.rate = rate
        self.is_sound = False
        self._n_channels = 0
        self._waiting = AudioFifo()
        self._resampler = soxr.ResampleStream(rate, sr, 1, dtype="float32")
        self._pieces: list[FloatArray] = []

    def add(self, frame: AudioFrame) -> None:
        n_channels = frame.layout.nb_channels
        # The queue insists on time stamps without gaps, and on one sample format; it does not count channels.
        frame.pts = None
        if n_channels != self._n_channels:
            self._begin_queue(n_channels)
        try:
            self._waiting.write(frame)
        except ValueError:
            self._begin_queue(n_channels)
            self._waiting.write(frame)
        if self._waiting.samples >= _BLOCK_SAMPLES:
            self._mix(is_last=False)

    def finish(self) -> FloatArray:
        self._mix(is_last=True)
        return np.concatenate(self._pieces)

    def _begin_queue(self, n_channels: int) -> None:
        self._mix(is_last=False)
        self._waiting, self._n_channels = AudioFifo(), n_channels

    def _mix(self, *, is_last: bool) -> None:
        y = np.empty(0, np.float32)
        block = self._waiting.read()
        if block is not None:
            channels = _channels(block)
            is_number = _within_reason(channels)
            self.is_sound |= is_number
            y = _mono(channels) if is_number else np.zeros(block.samples, np.float32)
        self._pieces.append(self._resampler.resample_chunk(y, last=is_last))


def _channels(block: AudioFrame) -> list[np.ndarray]:
    """Return the samples of each channel as the decoder left them; writing into them writes into the block."""
    dtype = np.dtype(format_dtypes[block.format.name])
    n_channels = block.layout.nb_channels
    n_samples = block.samples * (1 if block.format.is_planar else n_channels)
    # PyAV's planes are buffers, but do not say so before Python 3.12.
    planes = [np.frombuffer(plane, dtype, n_samples) for plane in block.planes]  # type: ignore[call-overload]
    return planes if block.format.is_planar else list(planes[0].reshape(-1, n_channels).T)


def _mono(channels: list[np.ndarray]) -> FloatArray:
    """Mean of the channels (n,), full scale at ±1; may overwrite them.

    FFmpeg's own float downmix is 1.41 times louder than the mean, so the mean is taken here.
    """
    kind, size = channels[0].dtype.kind, channels[0].dtype.itemsize
    # Channel by channel: numpy's mean over an axis as short as two is ten times slower.
    total: FloatArray = channels[0].astype(np.float32, copy=False)
    for channel in channels[1:]:
        total += channel
    if kind == "u":
        total -= np.float32(128 * len(channels))
    total *= np.float32(1 / len(channels) if kind == "f" else 2.0 ** (1 - 8 * size) / len(channels))
    return total


def _within_reason(channels: list[np.ndarray]) -> bool:
    """Bring samples that are no sound back, in place; False if none of them is a number."""
    # A NaN is neither, and there is hardly ever one.
    if channels[0].dtype.kind != "f" or all(c.min() >= -_MAX_SAMPLE and c.max() <= _MAX_SAMPLE for c in channels):
        return True
    is_number = any(bool(np.isfinite(c).any()) for c in channels)
    for channel in channels:
        np.nan_to_num(channel, copy=False, nan=0.0)
        np.clip(channel, -_MAX_SAMPLE, _MAX_SAMPLE, out=channel)
    return is_number
