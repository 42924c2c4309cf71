"""Layers that several networks share."""

from collections.abc import Iterable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

_RANGE_DB = 80.0
_SCALE_DB = 20.0


def without_loudness(S: Tensor) -> Tensor:
    """Make log-mel spectra (n, n_mels, n_frames) in dB independent of loudness.

    Everything more than 80 dB below the loudest point is raised to there, and the mean of the chunk is taken
    away: the same music 6 dB quieter gives the same numbers.
    """
    loudest = S.amax((1, 2), keepdim=True)
    S = torch.maximum(S, loudest - _RANGE_DB)
    return S - S.mean((1, 2), keepdim=True)


class SpectrumNorm(nn.Module):
    """Make a log-mel spectrum independent of loudness, then standardise each mel band."""

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        self.bands = nn.BatchNorm1d(n_mels)

    def forward(self, S: Tensor) -> Tensor:
        """Map `S` (n, n_mels, n_frames) in dB to (n, 1, n_mels, n_frames)."""
        normed: Tensor = self.bands(without_loudness(S) / _SCALE_DB)
        return normed.unsqueeze(1)


class LabelledEmbedding(nn.Module):
    """How a network ends: features → dropout → embedding (linear, centred) → label logits (linear).

    A base class, so that the end of every network bears the same names: training fits `labels` by itself.
    """

    def __init__(self, n_features: int, dim: int, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embed = nn.Linear(n_features, dim)
        # Cosines are taken of embeddings: what all music has in common would drown what differs.
        self.centre = nn.BatchNorm1d(dim, affine=False)
        self.labels = nn.Linear(dim, n_labels)

    def answer(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (n, n_features) to embeddings (n, dim), centred, not normalised, and logits (n, n_labels)."""
        embedding = self.centre(self.embed(self.dropout(features)))
        return embedding, self.labels(embedding)


class MaxPool(nn.Module):
    """Max pooling whose window shrinks to what there is, so that short chunks and few bands do no harm."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to (n, channels, max(1, h // size[0]), max(1, w // size[1]))."""
        return F.max_pool2d(x, (min(self.size[0], x.shape[2]), min(self.size[1], x.shape[3])))


def pooled_convolutions(channels: Iterable[int], pools: Iterable[tuple[int, int]]) -> nn.Sequential:
    """One block per entry of `channels`: 3×3 convolution, batch norm, ReLU, max-pool by (bands, frames)."""
    blocks = nn.Sequential()
    in_channels = 1
    for out_channels, pool in zip(channels, pools, strict=True):
        blocks.append(nn.Sequential(convolution(in_channels, out_channels, 3), nn.ReLU(), MaxPool(pool)))
        in_channels = out_channels
    return blocks


def convolution(
    in_channels: int, out_channels: int, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] = 1
) -> nn.Sequential:
    """Convolution (one size or one per side) without bias, then batch norm; the length is kept up to the stride."""
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, (height, width), stride, (height // 2, width // 2), bias=False),
        nn.BatchNorm2d(out_channels),
    )


def fuse_convolutions(network: nn.Module) -> nn.Module:
    """Fold each batch norm that directly follows a convolution into it; for inference, in place."""
    for module in network.modules():
        if isinstance(module, nn.Sequential) and len(module) == 2:
            first, second = module[0], module[1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[0] = nn.utils.fusion.fuse_conv_bn_eval(first, second)
                module[1] = nn.Identity()
    return network


def channels_last(network: Network) -> Network:
    """Lay the weights out with channels last, in place: convolutions on a CPU are faster that way."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
