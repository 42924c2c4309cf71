"""A small residual network over log-mel chunks (He et al. 2016, arXiv 1512.03385), strided instead of pooled."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from musrecd.analysis.networks.layers import SpectrumNorm, convolution


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut; halves both sides."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = convolution(in_channels, out_channels, 3, stride=2)
        self.second = convolution(out_channels, out_channels, 3)
        self.shortcut = convolution(in_channels, out_channels, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in_channels, h, w) to (n, out_channels, h/2, w/2)."""
        y = self.second(torch.relu(self.first(x)))
        return torch.relu(y + self.shortcut(x))


class ResidualNetwork(nn.Module):
    """Log-mel chunk → (embedding, label logits).

    A strided 5×5 stem and one residual block per entry of `channels`; time is pooled (mean and maximum),
    frequency is kept, because where in the spectrum something happens matters.
    """

    def __init__(self, n_mels: int, n_labels: int, dim: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.norm = SpectrumNorm(n_mels)
        self.stem = convolution(1, channels[0], 5, stride=2)
        widths = [channels[0], *channels]
        self.blocks = nn.Sequential(*(ResidualBlock(a, b) for a, b in pairwise(widths)))
        n_bands = n_mels
        for _ in range(1 + len(channels)):
            n_bands = -(-n_bands // 2)
        self.dropout = nn.Dropout(0.1)
        self.embed = nn.Linear(2 * channels[-1] * n_bands, dim)
        self.centre = nn.BatchNorm1d(dim, affine=False)
        self.labels = nn.Linear(dim, n_labels)

    def forward(self, S: Tensor) -> tuple[Tensor, Tensor]:
        """Map `S` (n, n_mels, n_frames) in dB to embeddings (n, dim), centred, not normalised, and logits."""
        x = self.norm(S).contiguous(memory_format=torch.channels_last)
        x = self.blocks(torch.relu(self.stem(x)))
        pooled = torch.cat([x.mean(3), x.amax(3)], 1).flatten(1)
        embedding = self.centre(self.embed(self.dropout(pooled)))
        return embedding, self.labels(embedding)
