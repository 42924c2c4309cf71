"""Learning to hear keys: a small network that is the same for all tonics, from examples whose key is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from musrecd.analysis.pitch import N_OCTAVES, N_PITCHES
from musrecd.analysis.tonality import OPENING_FRAMES, KeyWeights
from musrecd.types import FloatArray

# Twice as many, and averages of four networks, were no better on music that was not learnt from.
_N_CHORD = 24
_N_HIDDEN = 24
_DROPOUT = 0.2
_BATCH = 32
_SHORTEST_FRAMES = 30
_OPENING_SHARE = 0.5
_CUT_SHARE = 0.55
_HIGHEST_RATE = 4e-3
_SUFFIXES = (("weight", ""), ("bias", "_bias"))


@dataclass(frozen=True, slots=True)
class Example:
    """What `tonality.compressed` hears of a piece (n_frames, N_PITCHES), and the index of its key in `KEYS`.

    `begins` if it is to be heard as the beginning of a recording.
    """

    loudness: FloatArray
    key: int
    begins: bool = True


class KeyNetwork(nn.Module):
    """The network whose numpy twin is `tonality.network_scores`; one test holds them together."""

    def __init__(self) -> None:
        super().__init__()
        self.chord = nn.Linear(N_PITCHES, _N_CHORD)
        self.tonic = nn.Linear(2 * 12 * _N_CHORD, _N_HIDDEN)
        self.mode = nn.Linear(_N_HIDDEN, 2)

    def forward(self, loudness: Tensor, heard: Tensor, begins: Tensor) -> Tensor:
        """Map (batch, n_frames, N_PITCHES), which frames count (batch, n_frames) and which begin (batch,) to logits."""
        n_batch, n_frames, _ = loudness.shape
        octaves = loudness.reshape(n_batch, n_frames, N_OCTAVES, 12)
        over_roots = torch.cat([octaves, octaves[..., :11]], -1).unfold(-1, 12, 1).transpose(2, 3)
        chords = functional.relu(self.chord(over_roots.reshape(n_batch, n_frames, 12, N_PITCHES)))
        mean = (chords * heard[:, :, None, None]).sum(1) / heard.sum(1).clamp(min=1)[:, None, None]
        opening = chords[:, :OPENING_FRAMES].mean(1) * begins[:, None, None]
        evidence = torch.log1p(4.0 * torch.cat([mean, opening], -1))
        around = torch.cat([evidence, evidence[:, :11]], 1).unfold(1, 12, 1).flatten(2)
        hidden = functional.relu(self.tonic(functional.dropout(around, _DROPOUT, self.training)))
        logits: Tensor = self.mode(hidden)
        return logits.transpose(1, 2).flatten(1)


def learn(examples: Sequence[Example], epochs: int, seed: int = 1) -> KeyWeights:
    """Train on examples in all transpositions, with other equalisers, noise and lengths each time."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = KeyNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), _HIGHEST_RATE, weight_decay=1e-3)
    n_batches = max(1, len(examples) // _BATCH)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, _HIGHEST_RATE, total_steps=epochs * n_batches)
    # Styles with many pieces in one mode would make it the likelier one.
    rarity = _rarity(examples)
    for _ in range(epochs):
        order = rng.permutation(len(examples))
        for batch in range(n_batches):
            chosen = order[batch * _BATCH : (batch + 1) * _BATCH]
            loudness, heard, begins, keys = _batch([_varied(examples[i], rng) for i in chosen])
            losses = functional.cross_entropy(
                network(loudness, heard, begins), keys, reduction="none", label_smoothing=0.05
            )
            loss = (losses * rarity[keys // 12]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rates.step()
    return as_weights(network.eval())


def as_weights(network: KeyNetwork) -> KeyWeights:
    """Return the parameters of a network as numpy asks for them."""
    state = {name: tensor.detach().numpy().astype(np.float32) for name, tensor in network.state_dict().items()}
    names = {f"{layer}.{kind}": layer + suffix for layer in ("chord", "tonic", "mode") for kind, suffix in _SUFFIXES}
    return KeyWeights(**{names[name]: array for name, array in state.items()})


def _rarity(examples: Sequence[Example]) -> Tensor:
    n_minor = sum(example.key >= 12 for example in examples)
    counts = np.maximum([len(examples) - n_minor, n_minor], 1)
    return torch.tensor(len(examples) / (2 * counts), dtype=torch.float32)


def _varied(example: Example, rng: np.random.Generator) -> Example:
    """Return a part of an example, transposed, through another equaliser, sometimes with noise."""
    n_frames = len(example.loudness)
    length = int(rng.integers(min(_SHORTEST_FRAMES, n_frames), n_frames + 1))
    is_opening = rng.random() < _OPENING_SHARE
    first = 0 if is_opening else int(rng.integers(n_frames - length + 1))
    shift = int(rng.integers(-6, 7))
    part = moved(example.loudness[first : first + length], shift)
    gains = np.interp(np.arange(N_PITCHES), np.linspace(0, N_PITCHES - 1, 5), rng.normal(0, 0.35, 5))
    magnitudes = np.expm1(part) * np.exp(gains + rng.normal(0, 0.3))
    if rng.random() < 0.5:
        magnitudes += np.abs(rng.normal(0, rng.uniform(0, 0.6), magnitudes.shape))
    key = (example.key % 12 + shift) % 12 + 12 * (example.key // 12)
    # Many a recording, too, begins in the middle of a piece.
    begins = is_opening or rng.random() < _CUT_SHARE
    return Example(np.log1p(magnitudes).astype(np.float32), key, begins)


def moved(loudness: FloatArray, shift: int) -> FloatArray:
    """Return loudness (n_frames, N_PITCHES) that many semitones up, silent where nothing comes from."""
    rolled = np.roll(loudness, shift, axis=1)
    # What leaves at one end must not come back at the other.
    rolled[:, slice(0, shift) if shift >= 0 else slice(shift, None)] = 0
    return rolled


def _batch(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    n_frames = max(len(example.loudness) for example in examples)
    loudness = np.zeros((len(examples), n_frames, N_PITCHES), np.float32)
    heard = np.zeros((len(examples), n_frames), np.float32)
    for i, example in enumerate(examples):
        loudness[i, : len(example.loudness)] = example.loudness
        heard[i, : len(example.loudness)] = 1
    begins = torch.tensor([float(example.begins) for example in examples])
    keys = torch.tensor([example.key for example in examples])
    return torch.from_numpy(loudness), torch.from_numpy(heard), begins, keys
