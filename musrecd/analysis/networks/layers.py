"""Layers that several networks share."""

from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

_RANGE_DB = 80.0
_SCALE_DB = 20.0


class SpectrumNorm(nn.Module):
    """Make a log-mel spectrum independent of loudness, then standardise each mel band.

    Everything more than 80 dB below the loudest point is raised to there, and the mean of the chunk is taken
    away: the same music 6 dB quieter gives the same numbers.
    """

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        self.bands = nn.BatchNorm1d(n_mels)

    def forward(self, S: Tensor) -> Tensor:
        """Map `S` (n, n_mels, n_frames) in dB to (n, 1, n_mels, n_frames)."""
        loudest = S.amax((1, 2), keepdim=True)
        S = torch.maximum(S, loudest - _RANGE_DB)
        S = (S - S.mean((1, 2), keepdim=True)) / _SCALE_DB
        normed: Tensor = self.bands(S)
        return normed.unsqueeze(1)


def convolution(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, then batch norm; the length is kept up to the stride."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
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
