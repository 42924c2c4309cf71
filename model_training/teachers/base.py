"""What every teacher does: 16 kHz sound in, one embedding and one set of label probabilities out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from musrecd.types import FloatArray

SR = 16000
N_FFT = 512
HOP_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Heard:
    """A teacher's view of one excerpt: `embedding` (dim,) and `probabilities` (n_labels,)."""

    embedding: FloatArray
    probabilities: FloatArray


class Teacher(Protocol):
    """A published tagger. `labels` names its outputs in order."""

    labels: list[str]

    def hear(self, y: FloatArray) -> Heard:
        """Embed and tag `y` (n,), mono at 16 kHz."""
        ...


def read_labels(path: Path, key: str) -> list[str]:
    """Read one teacher's label names from `labels.json`."""
    labels: list[str] = json.loads(path.read_text(encoding="utf-8"))[key]
    return labels


def power_spectrogram(y: FloatArray) -> Tensor:
    """Centred, reflect-padded Hann STFT power (257, n_frames)."""
    spectrum = torch.stft(
        torch.from_numpy(np.ascontiguousarray(y)),
        N_FFT,
        HOP_LENGTH,
        window=torch.hann_window(N_FFT),
        pad_mode="reflect",
        return_complex=True,
    )
    return spectrum.abs().square()


def middle(y: FloatArray, length: int) -> FloatArray:
    """Return the middle `length` samples; shorter sound is repeated until it fills them."""
    if y.size < length:
        return np.tile(y, -(-length // max(1, y.size)))[:length]
    start = (y.size - length) // 2
    return y[start : start + length]
