"""The musicnn tagger (Pons & Serra 2019): wide musically motivated filters over 3-s patches."""

from pathlib import Path

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model_training.teachers.base import N_FFT, SR, Heard, power_spectrogram, read_labels
from musrecd.types import FloatArray

_PATCH_FRAMES = 187
_EPSILON = 1e-3
_N_TIMBRAL = 2
_N_TEMPORAL = 3


class Musicnn(nn.Module):
    """The network in its published weights; patches of a track are averaged."""

    def __init__(self, arrays: dict[str, np.ndarray], labels: list[str]) -> None:
        super().__init__()
        self.labels = labels
        self._mel_filters = torch.from_numpy(librosa.filters.mel(sr=SR, n_fft=N_FFT, n_mels=96))
        self._weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self._matrices = [self._matrix(i) for i in range(_N_TIMBRAL + _N_TEMPORAL)]

    def _norm(self, x: Tensor, index: int) -> Tensor:
        """Batch norm number `index`, over channels in dimension 1."""
        name = f"batch_normalization_{index}" if index else "batch_normalization"
        w = self._weights
        mean, variance = w[f"{name}/moving_mean"], w[f"{name}/moving_variance"]
        return F.batch_norm(x, mean, variance, w[f"{name}/gamma"], w[f"{name}/beta"], eps=_EPSILON)

    def _conv(self, x: Tensor, index: int) -> Tensor:
        """Convolution number `index` with ReLU, length of time kept as TensorFlow's `same` does."""
        name = f"conv2d_{index}"
        kernel = self._weights[f"{name}/kernel"].permute(3, 2, 0, 1)
        before = (kernel.shape[2] - 1) // 2
        x = F.pad(x, (0, 0, before, kernel.shape[2] - 1 - before))
        return F.conv2d(x, kernel, self._weights[f"{name}/bias"]).relu()

    def _front_end(self, patches: Tensor) -> Tensor:
        """Timbral and temporal filters, the maximum over frequency of each: (n, 561, 187)."""
        return torch.stack(
            [torch.cat([self._filter(patch, i) for i in range(_N_TIMBRAL + _N_TEMPORAL)], 1).T for patch in patches]
        )

    def _sign(self, index: int) -> Tensor:
        """-1 where the batch norm after convolution `index` turns the order of its channel, else 1."""
        return torch.where(self._weights[f"batch_normalization_{index + 1}/gamma"] < 0, -1.0, 1.0)

    def _matrix(self, index: int) -> Tensor:
        """Kernel of convolution `index` as (height · width, n_filters), such that the norm keeps its order.

        Columns of zeros make their number a multiple of 64: the maximum over frequency is five times as fast then.
        """
        kernel = self._weights[f"conv2d_{index}/kernel" if index else "conv2d/kernel"]
        matrix = kernel.flatten(0, 2) * self._sign(index)
        return F.pad(matrix, (0, -matrix.shape[1] % 64)).bfloat16()

    def _filter(self, patch: Tensor, index: int) -> Tensor:
        """Convolution `index` of one patch (187, 96), ReLU, batch norm, maximum over frequency: (187, n_filters).

        One matrix product over all windows: with a single channel that is faster than a convolution. The maximum is
        taken first, so that the rest works on few numbers.
        """
        name = f"conv2d_{index}" if index else "conv2d"
        height, width, _, n_filters = self._weights[f"{name}/kernel"].shape
        before = (height - 1) // 2
        windows = F.pad(patch, (0, 0, before, height - 1 - before)).unfold(0, height, 1).unfold(1, width, 1)
        maps = windows.reshape(-1, height * width) @ self._matrices[index]
        highest = maps.view(len(patch), -1, maps.shape[1]).amax(1)[:, :n_filters].float() * self._sign(index)
        return self._norm((highest + self._weights[f"{name}/bias"]).relu(), index + 1)

    def _middle(self, x: Tensor) -> Tensor:
        """Three convolutions over time, the last two residual, beside their input: (n, 753, 187)."""
        maps, last = [x], None
        for i in range(5, 8):
            y = self._norm(self._conv(maps[-1].transpose(1, 2)[:, None], i).squeeze(3), i + 1)
            last = y if last is None else last + y
            maps.append(last)
        return torch.cat(maps, 1)

    @torch.inference_mode()
    def hear(self, y: FloatArray) -> Heard:
        """Embed (penultimate layer, 200) and tag `y` (n,), averaged over 3-s patches."""
        S = torch.log10(1 + 1e4 * (self._mel_filters @ power_spectrogram(y))).T
        if len(S) < _PATCH_FRAMES:
            S = S.repeat(-(-_PATCH_FRAMES // len(S)), 1)
        patches = S.unfold(0, _PATCH_FRAMES, _PATCH_FRAMES).transpose(1, 2)[:, None]
        with torch.autocast("cpu", torch.bfloat16):
            x = self._middle(self._front_end(self._norm(patches, 0)[:, 0].bfloat16())).float()
        pooled = torch.stack([x.amax(2), x.mean(2)], 2).flatten(1)
        w = self._weights
        hidden = (self._norm(pooled, 9) @ w["dense/kernel"] + w["dense/bias"]).relu()
        penultimate = self._norm(hidden, 10)
        logits = penultimate @ w["dense_1/kernel"] + w["dense_1/bias"]
        return Heard(penultimate.mean(0).numpy(), logits.sigmoid().mean(0).numpy())


def load_musicnn(path: Path, labels_path: Path, labels_key: str) -> Musicnn:
    """Load musicnn weights for inference."""
    with np.load(path, allow_pickle=False) as arrays:
        return Musicnn({name: arrays[name] for name in arrays.files}, read_labels(labels_path, labels_key)).eval()
