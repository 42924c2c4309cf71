"""The one front-end: log-mel spectra of 16 kHz mono sound, the same in training and in serving.

Equals librosa.feature.melspectrogram (power, Slaney mel bands, centred frames, zero padding) followed by
10 · log10; the tests state the tolerance. The real FFT that torch brings along makes it several times as fast, and
the filter bank travels with the weights, so that serving never imports librosa.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from musrecd.types import FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

_FLOOR = 1e-10


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
    # Whoever only reads the parameters does without.
    import torch

    n_fft, hop_length = config.n_fft, config.hop_length
    with torch.inference_mode():
        padded = torch.nn.functional.pad(torch.from_numpy(y.astype(np.float32, copy=False)), (n_fft // 2, n_fft // 2))
        spectrum = torch.fft.rfft(padded.unfold(0, n_fft, hop_length) * torch.from_numpy(_hann(n_fft)))
        power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
        S = torch.from_numpy(mel_filters) @ power.T
        decibels: FloatArray = S.clamp_min_(_FLOOR).log10_().mul_(10).numpy()
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
