"""Training of the head that chooses the tempo: seconds on one core."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import librosa
import numpy as np
import torch
from torch import nn

from model_training.tempo.pieces import TempoPiece
from musrecd.analysis.encoder import Encoder
from musrecd.analysis.frontend import FrontendConfig, chunks, log_mel
from musrecd.analysis.rhythm import TempoHead
from musrecd.analysis.tempogram import TEMPI_BPM, evidence, onset_strength, tempogram
from musrecd.types import FloatArray

_HIDDEN = 96
# Each begins from chance; together they are right a little more often than alone.
_NETWORKS = 4
_STEPS = 3500
_BATCH = 64
_DROPPED = 0.15
_RATE = 4e-3
_DECAY = 5e-2
_STYLE_DECAY = 2e-3
_STYLES_WITHHELD = 0.3
# The target is spread over what counts as the same tempo.
_TARGET_WIDTH = 0.012
# Nothing is retimed to what people would tap at twice the speed, or at half of it.
_SLOWEST_BPM, _FASTEST_BPM = 55.0, 215.0
_STANDARDISED_BY = 2000
_NOISE_LEVELS = (0.0, 0.0, 0.25, 0.6, 1.2)
_SHORTEST_PART = 0.7
_KNOTS_BPM = np.geomspace(40, 244, 12)


@dataclass(frozen=True, slots=True)
class TempoExample:
    """Onset strengths (n_rows, n) of excerpts, label probabilities (n_labels,) and the tempo in BPM, 0 for none.

    Training plays it at up to `retimed` times the speed, or as much slower.
    """

    onsets: tuple[FloatArray, ...]
    styles: FloatArray
    bpm: float
    weight: float = 1.0
    retimed: float = 1.08


def spectra_of(y_chunks: Sequence[FloatArray], frontend: FrontendConfig) -> list[FloatArray]:
    """Log-mel spectra in dB of chunks."""
    filters = librosa.filters.mel(sr=frontend.sr, n_fft=frontend.n_fft, n_mels=frontend.n_mels)
    return [log_mel(y, frontend, filters) for y in y_chunks]


def example_of(piece: TempoPiece, encoder: Encoder, weight: float) -> TempoExample:
    """Hear a piece as serving does."""
    y_chunks = list(chunks(piece.y, encoder.frontend))
    rate = encoder.frontend.sr / encoder.frontend.hop_length
    onsets = tuple(onset_strength(S, rate) for S in spectra_of(y_chunks, encoder.frontend))
    return TempoExample(onsets, encoder.encode(encoder.spectra(y_chunks))[1], piece.bpm, weight, piece.retimed)


def curves() -> FloatArray:
    """Smooth curves over the tempi, (n_curves, n_tempi), that add up to one."""
    position = np.interp(np.log(TEMPI_BPM), np.log(_KNOTS_BPM), np.arange(len(_KNOTS_BPM)))
    heights: FloatArray = np.maximum(1 - np.abs(position - np.arange(len(_KNOTS_BPM))[:, None]), 0).astype(np.float32)
    return heights


def target(bpm: float) -> FloatArray:
    """Shares (n_tempi,) of what counts as `bpm`; the same of all where it is 0, so that nobody is sure of noise."""
    if not bpm:
        return np.full(len(TEMPI_BPM), 1 / len(TEMPI_BPM), np.float32)
    shares = np.exp(-0.5 * (np.log(TEMPI_BPM / bpm) / _TARGET_WIDTH) ** 2) + 1e-12
    whole: FloatArray = (shares / shares.sum()).astype(np.float32)
    return whole


def seen(example: TempoExample, frame_rate: float) -> FloatArray:
    """Return the evidence of an example; a frame rate other than its own retimes it."""
    return evidence([t for t in (tempogram(o, frame_rate) for o in example.onsets) if t is not None])


def varied(example: TempoExample, rng: np.random.Generator) -> TempoExample:
    """Return parts of some of its excerpts, often with noise among the onsets: few pieces are soon known by heart."""
    chosen = rng.permutation(len(example.onsets))[: int(rng.integers(1, len(example.onsets) + 1))]
    # Another level in each row: now it is the drums that are hard to hear, now the chords.
    levels = rng.choice(_NOISE_LEVELS, (len(example.onsets[0]), 1)).astype(np.float32)
    return replace(example, onsets=tuple(_noisy(_part(example.onsets[i], rng), levels, rng) for i in chosen))


def _part(onsets: FloatArray, rng: np.random.Generator) -> FloatArray:
    n = round(float(rng.uniform(_SHORTEST_PART, 1)) * onsets.shape[1])
    first = int(rng.integers(onsets.shape[1] - n + 1))
    return onsets[:, first : first + n]


def _noisy(onsets: FloatArray, levels: FloatArray, rng: np.random.Generator) -> FloatArray:
    noise = rng.standard_normal(onsets.shape, dtype=np.float32)
    noisy: FloatArray = onsets + levels * onsets.std(1, keepdims=True) * noise
    return noisy


class _Head(nn.Module):
    curves: torch.Tensor

    def __init__(self, n_features: int, n_labels: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(n_features, _HIDDEN), nn.Linear(_HIDDEN, 1, bias=False)
        self.usual = nn.Parameter(torch.zeros(len(_KNOTS_BPM)))
        self.style = nn.Parameter(torch.zeros(n_labels, len(_KNOTS_BPM)))
        self.register_buffer("curves", torch.from_numpy(curves()))

    def forward(self, features: torch.Tensor, styles: torch.Tensor, at: slice) -> torch.Tensor:
        """Logits of the tempi `at`, for which the features stand."""
        # A feature is missing for all tempi or for none: that is quick, and it teaches not to rely on one.
        missing = nn.functional.dropout(torch.ones(len(features), 1, features.shape[-1]), _DROPPED, self.training)
        pulse = self.second(torch.relu(self.first(features * missing))).squeeze(-1)
        logits: torch.Tensor = pulse + (self.usual + styles @ self.style) @ self.curves[:, at]
        return logits


def train_head(
    examples: Sequence[TempoExample],
    labels: Sequence[str],
    frame_rate: float,
    *,
    copies: int = 4,
    steps: int = _STEPS,
    seed: int = 0,
) -> TempoHead:
    """Train on `copies` of every example, each retimed by another factor, all but the first varied."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    features, styles, targets, weights = [], [], [], []
    for example in examples:
        for copy in range(copies):
            factor = float(np.exp(rng.uniform(-1, 1) * np.log(example.retimed)))
            if not min(_SLOWEST_BPM, example.bpm) <= example.bpm * factor <= max(_FASTEST_BPM, example.bpm):
                continue
            evidence_seen = seen(varied(example, rng) if copy else example, frame_rate * factor)
            # Half as wide: there are tens of thousands, of 38,000 numbers each.
            features.append(evidence_seen.astype(np.float16))
            styles.append(example.styles * (rng.random() >= _STYLES_WITHHELD))
            targets.append(target(example.bpm * factor))
            weights.append(example.weight)
    X = np.stack(features)
    some = X[:: max(1, len(X) // _STANDARDISED_BY)].astype(np.float32)
    mean, spread = some.mean((0, 1)), some.std((0, 1)) + 1e-6
    data = _Data(X, mean, spread, np.stack(styles).astype(np.float32), np.stack(targets), np.array(weights))
    heads = [_as_head(_fit(data, rng, steps), mean, spread, labels) for _ in range(_NETWORKS)]
    return joined(heads, [1 / len(heads)] * len(heads))


@dataclass(frozen=True, slots=True)
class _Data:
    """What networks are fitted to: evidence `X` (n, n_tempi, n_features), as it is, and how to standardise it."""

    X: np.ndarray
    mean: FloatArray
    spread: FloatArray
    styles: FloatArray
    targets: FloatArray
    weights: FloatArray

    def batch(self, rows: np.ndarray, at: slice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return evidence, styles and targets of `rows` for the tempi `at`."""
        X = (self.X[rows, at].astype(np.float32) - self.mean) / self.spread
        wanted = self.targets[rows, at]
        shares = wanted / wanted.sum(-1, keepdims=True)
        return torch.from_numpy(X), torch.from_numpy(self.styles[rows]), torch.from_numpy(shares)


def joined(heads: Sequence[TempoHead], shares: Sequence[float]) -> TempoHead:
    """One head that says the mean of what `heads` of the same labels say; each counts by its share."""
    mean, spread = heads[0].mean, heads[0].spread
    return TempoHead(
        mean=mean,
        spread=spread,
        w1=np.concatenate([head.w1 * (spread / head.spread)[:, None] for head in heads], axis=1),
        b1=np.concatenate([head.b1 + (mean - head.mean) / head.spread @ head.w1 for head in heads]),
        w2=np.concatenate([np.float32(share) * head.w2 for head, share in zip(heads, shares, strict=True)]),
        usual=np.average([head.usual for head in heads], axis=0, weights=shares),
        style=np.average([head.style for head in heads], axis=0, weights=shares),
        curves=heads[0].curves,
        labels=heads[0].labels,
    )


def _as_head(network: "_Head", mean: FloatArray, spread: FloatArray, labels: Sequence[str]) -> TempoHead:
    numbers = {name: value.numpy() for name, value in network.state_dict().items()}
    return TempoHead(
        mean=mean,
        spread=spread,
        w1=numbers["first.weight"].T,
        b1=numbers["first.bias"],
        w2=numbers["second.weight"][0],
        usual=numbers["usual"] @ numbers["curves"],
        style=numbers["style"],
        curves=numbers["curves"],
        labels=tuple(labels),
    )


def _fit(data: _Data, rng: np.random.Generator, steps: int) -> _Head:
    head = _Head(data.X.shape[-1], data.styles.shape[1])
    groups = [
        {"params": [*head.first.parameters(), *head.second.parameters(), head.usual], "weight_decay": _DECAY},
        {"params": [head.style], "weight_decay": _STYLE_DECAY / _RATE},
    ]
    optimizer = torch.optim.AdamW(groups, lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    chances = data.weights / data.weights.sum()
    for step in range(steps):
        # Every other tempo says as much as all of them, in half the time.
        at = slice(step % 2, None, 2)
        X, styles, wanted = data.batch(rng.choice(len(data.X), _BATCH, p=chances), at)
        loss = -(wanted * torch.log_softmax(head(X, styles, at), -1)).sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return head


def save_head(head: TempoHead, path: Path) -> None:
    """Write the head as `rhythm.load_tempo_head` reads it."""
    numbers = {name: getattr(head, name) for name in TempoHead.__slots__ if name != "labels"}
    small = {
        name: value.astype(np.float16 if name in ("w1", "style") else np.float32) for name, value in numbers.items()
    }
    np.savez(path, labels=np.array(head.labels), **small)
