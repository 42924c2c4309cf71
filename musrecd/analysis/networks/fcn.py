"""A fully convolutional network that pools half a minute to one vector (Choi et al. 2016, arXiv 1606.00298)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from musrecd.analysis.networks.layers import LabelledEmbedding, SpectrumNorm, pooled_convolutions

# By how much each block pools (bands, frames): 96 bands and 29 s come to one.
_POOLS = ((2, 4), (2, 4), (2, 4), (3, 5), (4, 4))


class FullyConvolutionalNetwork(LabelledEmbedding):
    """Log-mel chunk → (embedding, label logits).

    Five convolution blocks of `channels`, by default as wide as in Won et al. 2020 (arXiv 2006.00751). Whatever
    they leave of longer chunks or more bands is pooled by its maximum.
    """

    def __init__(self, n_mels: int, n_labels: int, dim: int, channels: Sequence[int] = (64, 128, 128, 128, 64)) -> None:
        if len(channels) != len(_POOLS):
            raise ValueError(f"there have to be {len(_POOLS)} channels, not {len(channels)}")
        super().__init__(channels[-1], dim, n_labels, dropout=0.5)
        self.norm = SpectrumNorm(n_mels)
        self.blocks = pooled_convolutions(channels, _POOLS)

    def forward(self, S: Tensor) -> tuple[Tensor, Tensor]:
        """Map `S` (n, n_mels, n_frames) in dB to embeddings (n, dim), centred, not normalised, and logits."""
        x = self.norm(S).contiguous(memory_format=torch.channels_last)
        return self.answer(self.blocks(x).amax((2, 3)))
