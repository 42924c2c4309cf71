"""The encoder: sound in, one unit embedding and label probabilities out; torch is imported here and below."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from musrecd.analysis.card import SHIPPED_WEIGHTS, Card, read_card
from musrecd.analysis.frontend import FrontendConfig, chunk_bounds, chunks, log_mel
from musrecd.analysis.networks import build_network
from musrecd.analysis.networks.layers import channels_last, fuse_convolutions
from musrecd.errors import EncoderError
from musrecd.types import Coverage, EncoderInfo, FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

MEL_FILTERS = "mel_filters"
# A chunk whose loudest sample is below -80 dB of full scale holds nothing to hear.
_SILENCE = 1e-4
_BATCH_CHUNKS = 8


@dataclass(frozen=True, slots=True)
class HeardChunks:
    """What is not silent of excerpts: `spectra` (n_chunks, n_mels, n_frames), and where each chunk is from.

    That is excerpt `excerpts` (n_chunks,) from sample `bounds[:, 0]` to `bounds[:, 1]` (n_chunks, 2).
    """

    spectra: FloatArray
    excerpts: "npt.NDArray[np.int64]"
    bounds: "npt.NDArray[np.int64]"


class Encoded(NamedTuple):
    """A recording's `embedding` (dim,) and `probabilities` (n_labels,), and the unit vector of each chunk heard."""

    embedding: FloatArray
    probabilities: FloatArray
    directions: FloatArray


class Encoder(Protocol):
    """Turns the excerpts of one recording into its embedding and label probabilities."""

    @property
    def info(self) -> EncoderInfo:
        """Version, dimension and labels."""
        ...

    @property
    def frontend(self) -> FrontendConfig:
        """What the excerpts must be: sample rate and chunk length."""
        ...

    @property
    def coverage(self) -> Coverage:
        """How much of a recording the excerpts are to cover; part of the version."""
        ...

    def spectra(self, ys: Sequence[FloatArray]) -> HeardChunks:
        """Map excerpts (each (n,), mono at `frontend.sr`) to the spectra of what is heard."""
        ...

    def encode(self, heard: HeardChunks) -> Encoded:
        """Say what the spectra sound like, together and each."""
        ...


class TorchEncoder:
    """An encoder made of a card, a mel filter bank and a network in inference mode."""

    def __init__(self, card: Card, network: nn.Module, mel_filters: FloatArray) -> None:
        self._card, self._network, self._mel_filters = card, network, mel_filters

    @property
    def info(self) -> EncoderInfo:
        """Version, dimension and labels."""
        return self._card.info

    @property
    def frontend(self) -> FrontendConfig:
        """Sample rate, spectrum and chunk length."""
        return self._card.frontend

    @property
    def coverage(self) -> Coverage:
        """How much of a recording the excerpts are to cover."""
        return self._card.coverage

    def spectra(self, ys: Sequence[FloatArray]) -> HeardChunks:
        """Log-mel spectra of the chunks that are not silent."""
        cut = [(chunks(y, self.frontend), chunk_bounds(y.size, self.frontend)) for y in ys]
        heard = [
            (self._spectrum(chunk), excerpt, bound)
            for excerpt, (pieces, bounds) in enumerate(cut)
            for chunk, bound in zip(pieces, bounds, strict=True)
            if max(chunk.max(), -chunk.min()) > _SILENCE
        ]
        if not heard:
            empty = np.empty((0, self.frontend.n_mels, self.frontend.chunk_frames), np.float32)
            return HeardChunks(empty, np.empty(0, np.int64), np.empty((0, 2), np.int64))
        spectra, excerpts, bounds_of = zip(*heard, strict=True)
        return HeardChunks(np.stack(spectra), np.array(excerpts), np.array(bounds_of))

    def encode(self, heard: HeardChunks) -> Encoded:
        """Mean over the chunks; of silence alone every label is denied."""
        n_heard = len(heard.spectra)
        embeddings, logits = self._run(heard.spectra if n_heard else self._silence())
        embedding = embeddings.mean(0)
        unit = embedding / max(float(np.linalg.norm(embedding)), 1e-9)
        probabilities = 1 / (1 + np.exp(-logits.mean(0))) if n_heard else np.zeros(logits.shape[1])
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
        directions = (embeddings / np.maximum(lengths, 1e-9))[:n_heard]
        return Encoded(unit.astype(np.float32), probabilities.astype(np.float32), directions.astype(np.float32))

    def _silence(self) -> FloatArray:
        return self._spectrum(np.zeros(self.frontend.chunk_length, np.float32))[None]

    def _spectrum(self, y: FloatArray) -> FloatArray:
        return log_mel(y, self.frontend, self._mel_filters)

    def _run(self, spectra: FloatArray) -> tuple[FloatArray, FloatArray]:
        embeddings, logits = [], []
        with torch.inference_mode():
            for S in torch.split(torch.from_numpy(spectra), _BATCH_CHUNKS):
                embedding, logit = self._network(S)
                embeddings.append(embedding)
                logits.append(logit)
        return torch.cat(embeddings).numpy(), torch.cat(logits).numpy()


def load_encoder(weights: Path = SHIPPED_WEIGHTS, coverage: Coverage = "windows") -> TorchEncoder:
    """Load weights (safetensors) and their card, to hear as much as `coverage` says.

    Raises EncoderError if either is missing, damaged, or they do not belong together.
    """
    card = read_card(weights, coverage)
    state = _read_weights(weights, card)
    mel_filters = state.pop(MEL_FILTERS, None)
    frontend = card.frontend
    if mel_filters is None or mel_filters.shape != (frontend.n_mels, 1 + frontend.n_fft // 2):
        raise EncoderError(f"{weights} holds no mel filter bank for its front-end")
    for name, value in {"n_mels": frontend.n_mels, "n_labels": len(card.info.labels)}.items():
        if (found := card.network_arguments.get(name, value)) != value:
            raise EncoderError(f"the card of {weights} does not fit itself: {name} is {found!r} and should be {value}")
    network = build_network(card.network, card.network_arguments)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise EncoderError(f"{weights} does not fit network {card.network!r} of its card") from error
    fused = channels_last(fuse_convolutions(network.eval()))
    return TorchEncoder(card, fused, mel_filters.numpy())


def _read_weights(weights: Path, card: Card) -> dict[str, Tensor]:
    try:
        data = weights.read_bytes()
    except OSError as error:
        raise EncoderError(f"encoder weights {weights} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != card.weights_sha256:
        raise EncoderError(f"{weights} is damaged or not the file that its card describes")
    try:
        state: dict[str, Tensor] = load_safetensors(data)
    except SafetensorError as error:
        raise EncoderError(f"{weights} is not a safetensors file") from error
    if not all(torch.isfinite(tensor).all() for tensor in state.values()):
        raise EncoderError(f"{weights} holds numbers that are not finite")
    return {name: tensor.float() for name, tensor in state.items()}
