"""Convolutions that hear the moment, a recurrent network that sums them up (Choi et al. 2017, arXiv 1609.04243)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from musrecd.analysis.networks.layers import LabelledEmbedding, SpectrumNorm, pooled_convolutions

# By how much each block pools (bands, frames).
_POOLS = ((2, 2), (3, 3), (4, 4), (4, 4))
_FEWEST_BLOCKS = 3


class ConvolutionalRecurrentNetwork(LabelledEmbedding):
    """Log-mel chunk → (embedding, label logits).

    Three or four convolution blocks of `channels`, a GRU of `n_layers` layers of `n_states` over the frames that
    are left, and a fully connected layer from its last state. Widths and ReLU, where the paper has ELU, are by
    default those of Won et al. 2020 (arXiv 2006.00751).
    """

    def __init__(
        self,
        n_mels: int,
        n_labels: int,
        dim: int,
        channels: Sequence[int] = (64, 128, 128, 128),
        n_states: int = 32,
        n_layers: int = 2,
    ) -> None:
        if not _FEWEST_BLOCKS <= len(channels) <= len(_POOLS):
            raise ValueError(f"there have to be {_FEWEST_BLOCKS} to {len(_POOLS)} channels, not {len(channels)}")
        super().__init__(n_states, dim, n_labels, dropout=0.1)
        self.norm = SpectrumNorm(n_mels)
        pools = _POOLS[: len(channels)]
        self.blocks = pooled_convolutions(channels, pools)
        n_bands = n_mels
        for bands, _ in pools:
            n_bands = max(1, n_bands // bands)
        self.gru = nn.GRU(channels[-1] * n_bands, n_states, n_layers, batch_first=True)

    def forward(self, S: Tensor) -> tuple[Tensor, Tensor]:
        """Map `S` (n, n_mels, n_frames) in dB to embeddings (n, dim), centred, not normalised, and logits."""
        x = self.norm(S).contiguous(memory_format=torch.channels_last)
        frames = self.blocks(x).flatten(1, 2).transpose(1, 2)
        states: Tensor = self.gru(frames)[0]
        return self.answer(states[:, -1])
