"""FCN (Choi et al. 2016) and CRNN (Choi et al. 2017) taggers, in the checkpoints of Won et al. 2020."""

from abc import abstractmethod
from pathlib import Path

import torch
from torch import Tensor, nn

from model_training.teachers.base import SR, Heard, middle, power_spectrogram, read_labels
from musrecd.analysis.networks.layers import channels_last
from musrecd.types import FloatArray

_SECONDS = 29
_FCN_POOLS = ((2, 4), (2, 4), (2, 4), (3, 5), (4, 4))
_CRNN_POOLS = ((2, 2), (3, 3), (4, 4), (4, 4))


def _block(state: dict[str, Tensor], name: str, pool: tuple[int, int]) -> nn.Sequential:
    """3×3 convolution, batch norm, ReLU and max-pool with the weights of one layer of the checkpoint."""
    out_channels, in_channels = state[f"{name}.conv.weight"].shape[:2]
    block = nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.MaxPool2d(pool),
    )
    block[0].load_state_dict({k: state[f"{name}.conv.{k}"] for k in ("weight", "bias")})
    block[1].load_state_dict(
        {k: state[f"{name}.bn.{k}"] for k in ("weight", "bias", "running_mean", "running_var")}, strict=False
    )
    return block


class _Won(nn.Module):
    """What both taggers share: decibel mel spectrum, one batch norm over it, convolution blocks, a dense end."""

    def __init__(self, state: dict[str, Tensor], pools: tuple[tuple[int, int], ...], labels: list[str]) -> None:
        super().__init__()
        self.labels = labels
        self._mel_filters = state["spec.mel_scale.fb"].T.contiguous()
        self.spec_bn = nn.BatchNorm2d(1)
        self.spec_bn.load_state_dict(
            {k: state[f"spec_bn.{k}"] for k in ("weight", "bias", "running_mean", "running_var")}, strict=False
        )
        self.blocks = nn.Sequential(*(_block(state, f"layer{i + 1}", pool) for i, pool in enumerate(pools)))
        n_labels, dim = state["dense.weight"].shape
        self.dense = nn.Linear(dim, n_labels)
        self.dense.load_state_dict({k: state[f"dense.{k}"] for k in ("weight", "bias")})

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Return the embedding (1, dim) of a decibel spectrum (1, 1, n_mels, n_frames)."""

    @torch.inference_mode()
    def hear(self, y: FloatArray) -> Heard:
        """Embed and tag the middle 29 s of `y` (n,)."""
        power = self._mel_filters @ power_spectrogram(middle(y, _SECONDS * SR))
        x = self.spec_bn(10 * torch.log10(power.clamp_min(1e-10))[None, None])
        with torch.autocast("cpu", torch.bfloat16):
            embedding = self.features(x.to(memory_format=torch.channels_last)).float()
        probabilities = self.dense(embedding).sigmoid()
        return Heard(embedding[0].numpy(), probabilities[0].numpy())


class FCN(_Won):
    """Five blocks that pool 29 s down to one vector of 64."""

    def __init__(self, state: dict[str, Tensor], labels: list[str]) -> None:
        super().__init__(state, _FCN_POOLS, labels)

    def features(self, x: Tensor) -> Tensor:
        """Return the output of the fifth block (1, 64)."""
        y: Tensor = self.blocks(x)
        return y.flatten(1)


class CRNN(_Won):
    """Four blocks, then a two-layer GRU over time whose last state is the vector of 32."""

    def __init__(self, state: dict[str, Tensor], labels: list[str]) -> None:
        super().__init__(state, _CRNN_POOLS, labels)
        self.gru = nn.GRU(128, 32, 2, batch_first=True)
        self.gru.load_state_dict({k.removeprefix("layer5."): v for k, v in state.items() if k.startswith("layer5.")})

    def features(self, x: Tensor) -> Tensor:
        """Return the last GRU state (1, 32)."""
        frames = self.blocks(x).squeeze(2).transpose(1, 2)
        states: Tensor = self.gru(frames)[0]
        return states[:, -1]


def load_fcn(path: Path, labels_path: Path, labels_key: str) -> FCN:
    """Load an FCN checkpoint for inference."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    return channels_last(FCN(state, read_labels(labels_path, labels_key)).eval())


def load_crnn(path: Path, labels_path: Path, labels_key: str) -> CRNN:
    """Load a CRNN checkpoint for inference."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    return channels_last(CRNN(state, read_labels(labels_path, labels_key)).eval())
