"""Statistics of MFCC (Davis & Mermelstein 1980; for music Logan 2000): the honest baseline, learned in nothing."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musrecd.analysis.networks.layers import without_loudness

# A delta is the slope of a line through nine frames (Furui 1986).
_DELTA_REACH = 4
_N_STATISTICS = 3


def cosine_transform(n_mels: int, n_mfcc: int) -> Tensor:
    """Rows 1 to `n_mfcc` of the orthonormal DCT-II over `n_mels` bands (n_mfcc, n_mels).

    Row 0, the mean over the bands, is the loudness and left out.
    """
    order = torch.arange(1, n_mfcc + 1, dtype=torch.float64).unsqueeze(1)
    place = torch.arange(n_mels, dtype=torch.float64) + 0.5
    return (math.sqrt(2 / n_mels) * torch.cos(math.pi / n_mels * order * place)).float()


class MfccStatistics(nn.Module):
    """Log-mel chunk → (embedding, label logits).

    Mean and standard deviation of each coefficient and standard deviation of its deltas, standardised by what
    training music has, are the embedding: `dim` is 3 · `n_mfcc`. The label logits alone are learned.
    """

    dct: Tensor
    slope: Tensor

    def __init__(self, n_mels: int, n_labels: int, dim: int, n_mfcc: int) -> None:
        super().__init__()
        if not 1 <= n_mfcc < n_mels:
            raise ValueError(f"n_mfcc has to be from 1 to {n_mels - 1}, not {n_mfcc}")
        if dim != _N_STATISTICS * n_mfcc:
            raise ValueError(f"dim has to be {_N_STATISTICS} · n_mfcc = {_N_STATISTICS * n_mfcc}, not {dim}")
        # Constants that follow from the arguments have no place among the weights.
        self.register_buffer("dct", cosine_transform(n_mels, n_mfcc), persistent=False)
        frames = torch.arange(-_DELTA_REACH, _DELTA_REACH + 1.0)
        self.register_buffer("slope", (frames / frames.square().sum()).view(1, 1, -1), persistent=False)
        self.centre = nn.BatchNorm1d(dim, affine=False)
        self.labels = nn.Linear(dim, n_labels)

    def forward(self, S: Tensor) -> tuple[Tensor, Tensor]:
        """Map `S` (n, n_mels, n_frames) in dB to embeddings (n, dim), standardised, not normalised, and logits."""
        embedding = self.centre(self.statistics(S))
        return embedding, self.labels(embedding)

    def statistics(self, S: Tensor) -> Tensor:
        """Map `S` (n, n_mels, n_frames) in dB to means, spreads and spreads of the deltas (n, 3 · n_mfcc)."""
        mfcc = self.dct @ without_loudness(S)
        padded = F.pad(mfcc.flatten(0, 1).unsqueeze(1), (_DELTA_REACH, _DELTA_REACH), mode="replicate")
        deltas = F.conv1d(padded, self.slope).view_as(mfcc)
        return torch.cat([mfcc.mean(2), mfcc.std(2, correction=0), deltas.std(2, correction=0)], 1)
