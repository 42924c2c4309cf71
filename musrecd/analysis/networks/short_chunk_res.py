"""Short-chunk CNN with residual connections (Won et al. 2020, arXiv 2006.00751)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from musrecd.analysis.networks.layers import LabelledEmbedding, SpectrumNorm, convolution


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut that is one too, as published; halves both sides."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = convolution(in_channels, out_channels, 3, stride=2)
        self.second = convolution(out_channels, out_channels, 3)
        self.shortcut = convolution(in_channels, out_channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in_channels, h, w) to (n, out_channels, h/2, w/2)."""
        y = self.second(torch.relu(self.first(x)))
        return torch.relu(y + self.shortcut(x))


class ShortChunkResidualNetwork(LabelledEmbedding):
    """Log-mel chunk → (embedding, label logits).

    Seven residual blocks halve both sides until 128 bands are one; the maximum over time of what is left goes
    through a fully connected layer with batch norm, which is the embedding. The published network rectifies it
    before the labels; here it stays centred.
    """

    def __init__(
        self,
        n_mels: int,
        n_labels: int,
        dim: int,
        channels: Sequence[int] = (128, 128, 256, 256, 256, 256, 512),
    ) -> None:
        super().__init__(channels[-1], dim, n_labels, dropout=0.5)
        self.norm = SpectrumNorm(n_mels)
        self.blocks = nn.Sequential(*(ResidualBlock(a, b) for a, b in pairwise([1, *channels])))

    def forward(self, S: Tensor) -> tuple[Tensor, Tensor]:
        """Map `S` (n, n_mels, n_frames) in dB to embeddings (n, dim), centred, not normalised, and logits."""
        x = self.norm(S).contiguous(memory_format=torch.channels_last)
        return self.answer(self.blocks(x).amax((2, 3)))
