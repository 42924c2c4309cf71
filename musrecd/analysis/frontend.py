"""The one front-end: log-mel spectra of 16 kHz mono sound, the same in training and in serving.

Equals librosa.feature.melspectrogram (power, Slaney mel bands, centred frames, zero padding) followed by
10 · log10; the tests state the tolerance. A blocked float32 real FFT makes it about twice as fast, and the
filter bank travels with the weights, so that serving never imports librosa.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from musrecd.types import FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

_FLOOR = 1e-10
_BLOCK_FRAMES = 256


@dataclass(frozen=True, slots=True)
class FrontendConfig:
    """Parameters of the log-mel front-end. `sr` in Hz, `n_fft` and `hop_length` in samples."""

    sr: int = 16000
    n_fft: int = 512
    hop_length: int = 256
    n_mels: int = 96
    chunk_s: float = 10.0

    @property
    def chunk_length(self) -> int:
        """Samples in one chunk."""
        return round(self.chunk_s * self.sr)

    @property
    def chunk_frames(self) -> int:
        """Frames in one chunk."""
        return 1 + self.chunk_length // self.hop_length

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as the model card stores them."""
        return asdict(self)


def log_mel(y: FloatArray, config: FrontendConfig, mel_filters: FloatArray) -> FloatArray:
    """Log-mel power spectrum in dB of `y` (n,), floor -100 dB.

    `mel_filters` is (n_mels, 1 + n_fft // 2). Returns `S` (n_mels, 1 + n // hop_length), float32.
    """
    # Whoever only reads the parameters does without: at rest the daemon would hold 20 MB of it.
    import scipy.fft

    window = _hann(config.n_fft)
    padded = np.pad(y.astype(np.float32, copy=False), config.n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.n_fft)[:: config.hop_length]
    S = np.empty((config.n_mels, len(frames)), np.float32)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        spectrum = scipy.fft.rfft(frames[block] * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        S[:, block] = mel_filters @ power.T
    decibels: FloatArray = 10 * np.log10(np.maximum(S, _FLOOR))
    return decibels


def _hann(n_fft: int) -> FloatArray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)


def chunks(y: FloatArray, config: FrontendConfig) -> FloatArray:
    """Cut `y` (n,) into chunks (n_chunks, chunk_length) that cover it evenly, overlapping where they must.

    What is shorter than a chunk is repeated until it fills one.
    """
    length = config.chunk_length
    if y.size < length:
        return np.tile(y, -(-length // max(1, y.size)))[None, :length]
    return np.stack([y[start:end] for start, end in chunk_bounds(y.size, config)])


def chunk_bounds(n_samples: int, config: FrontendConfig) -> "npt.NDArray[np.int64]":
    """Return where the chunks of that many samples begin and end: (n_chunks, 2); no further than there is sound."""
    length = min(config.chunk_length, n_samples)
    n_chunks = max(1, -(-n_samples // config.chunk_length))
    starts = np.linspace(0, n_samples - length, n_chunks).round().astype(np.int64)
    return np.stack([starts, starts + length], axis=1)
