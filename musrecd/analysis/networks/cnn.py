"""A genre classifier over slices of 128 × 128 whose softmax is cut off: the plain CNN of many music recommenders."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from musrecd.analysis.networks.layers import LabelledEmbedding, SpectrumNorm, convolution

# Kernel size and stride of each block; every block then halves both sides by averaging.
_CONVOLUTIONS = ((7, 1), (7, 2), (3, 1), (3, 1))
# What is left of bands and frames in the end; a slice of 128 × 128 comes to 4 × 4 and is averaged once more.
_PLACES = 2


class SliceClassifier(LabelledEmbedding):
    """Log-mel slice → (embedding, label logits).

    Four blocks of convolution, batch norm, ReLU and average pooling, then fully connected layers of falling width;
    the last one, usually of 32, is the latent that remains when the classifier's end is cut off. Averaged over
    the slices of a track it stands for the track, as van den Oord et al. 2013 ("Deep content-based music
    recommendation") averaged windows of 3 s. The shape is that of recommenders built on the Free Music Archive
    (Defferrard et al. 2017, arXiv 1612.01840). Two things differ from them: the latent is centred where theirs is
    rectified, because averages of what is never negative all point the same way; and labels may go together, so
    there is no softmax.
    """

    def __init__(
        self,
        n_mels: int,
        n_labels: int,
        dim: int,
        channels: Sequence[int] = (64, 128, 256, 512),
        hidden: Sequence[int] = (1024, 256, 64),
    ) -> None:
        if len(channels) != len(_CONVOLUTIONS) or not hidden:
            raise ValueError(f"channels has to be {len(_CONVOLUTIONS)} numbers and hidden at least one")
        super().__init__(hidden[-1], dim, n_labels, dropout=0.0)
        self.norm = SpectrumNorm(n_mels)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(convolution(a, b, size, stride), nn.ReLU(), nn.AvgPool2d(2, ceil_mode=True))
                for (a, b), (size, stride) in zip(pairwise([1, *channels]), _CONVOLUTIONS, strict=True)
            ),
            nn.AdaptiveAvgPool2d(_PLACES),
        )
        widths = [channels[-1] * _PLACES**2, *hidden]
        self.hidden = nn.Sequential(
            *(nn.Sequential(nn.Dropout(0.5), nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths))
        )

    def forward(self, S: Tensor) -> tuple[Tensor, Tensor]:
        """Map `S` (n, n_mels, n_frames) in dB to embeddings (n, dim), centred, not normalised, and logits."""
        x = self.norm(S).contiguous(memory_format=torch.channels_last)
        return self.answer(self.hidden(self.blocks(x).flatten(1)))
