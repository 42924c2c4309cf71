"""The network that ships: residual stages over log-mel chunks, coarse in time from the first layer on."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musrecd.analysis.networks.layers import LabelledEmbedding, SpectrumNorm, convolution

_STEM_KERNEL = (5, 9)
_STEM_STRIDE = (2, 4)


class Unit(nn.Module):
    """Two 3×3 convolutions beside a shortcut; with `stride` 2 both sides are halved.

    The shortcut averages before it strides (He et al. 2019, arXiv 1812.01187): nothing of the input is skipped,
    and the gradient costs a fifth.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(in_channels, out_channels, 3, stride)
        self.second = convolution(out_channels, out_channels, 3)
        self.stride = stride
        same = in_channels == out_channels and stride == 1
        self.shortcut: nn.Module = nn.Identity() if same else convolution(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in_channels, h, w) to (n, out_channels, ⌈h / stride⌉, ⌈w / stride⌉)."""
        # In place: the maps are large, and fresh memory costs more than the sums.
        y: Tensor = self.second(self.first(x).relu_())
        if self.stride > 1:
            x = F.avg_pool2d(x, self.stride, ceil_mode=True, count_include_pad=False)
        y += self.shortcut(x)
        return y.relu_()


class MusrecNetwork(LabelledEmbedding):
    """Log-mel chunk → (embedding, label logits).

    A wide strided stem, then stages of `depths[i]` residual units with `channels[i]` channels, each stage halving
    both sides. Time is pooled (mean and maximum), frequency is kept, because where in the spectrum something
    happens matters.
    """

    def __init__(
        self, *, n_mels: int, n_labels: int, dim: int, stem: int, channels: Sequence[int], depths: Sequence[int]
    ) -> None:
        if len(channels) != len(depths):
            raise ValueError(f"{len(channels)} channels and {len(depths)} depths; there has to be one each per stage")
        n_bands = -(-n_mels // (_STEM_STRIDE[0] * 2 ** len(channels)))
        super().__init__(2 * channels[-1] * n_bands, dim, n_labels, dropout=0.1)
        self.norm = SpectrumNorm(n_mels)
        self.stem = convolution(1, stem, _STEM_KERNEL, _STEM_STRIDE)
        widths = pairwise([stem, *channels])
        self.stages = nn.Sequential(*(_stage(a, b, depth) for (a, b), depth in zip(widths, depths, strict=True)))

    def forward(self, S: Tensor) -> tuple[Tensor, Tensor]:
        """Map `S` (n, n_mels, n_frames) in dB to embeddings (n, dim), centred, not normalised, and logits."""
        x = self.norm(S).contiguous(memory_format=torch.channels_last)
        x = self.stages(self.stem(x).relu_())
        return self.answer(torch.cat([x.mean(3), x.amax(3)], 1).flatten(1))


def _stage(in_channels: int, out_channels: int, depth: int) -> nn.Sequential:
    further = (Unit(out_channels, out_channels, 1) for _ in range(depth - 1))
    return nn.Sequential(Unit(in_channels, out_channels, 2), *further)
