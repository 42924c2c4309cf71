"""What the student hears: every clip as it is, and endless new sound made of the training clips.

A variation is one clip played faster or slower (pitch and tempo together), a mixture lays a second one
under it. Pieces that are rendered and not recorded take a share. The teachers hear the same sound, so their
answers fit it exactly.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np
import soxr

from model_training.datasets.base import Clip
from musrecd.types import FloatArray

_SPEEDS = (0.88, 1.14)
_MIXED_SHARE = 0.6
_PIECE_SHARE = 0.2
_UNDER_DB = (-12.0, 0.0)
_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One clip within an example: its index, how much faster it is played, how much louder in dB."""

    clip: int
    speed: float = 1.0
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """Sound to train on; `is_original` if it is one unchanged clip."""

    layers: tuple[Layer, ...]

    @property
    def is_original(self) -> bool:
        """Whether this is a clip as it lies in the data set."""
        return self.layers == (Layer(self.layers[0].clip),)

    def name(self, clips: Sequence[Clip]) -> str:
        """Say what it is made of, so that a cache knows its own examples again."""
        parts = (f"{clips[a.clip].name} x{a.speed:.6f} {a.gain_db:+.4f}dB" for a in self.layers)
        return " | ".join(parts)


def originals(clips: Sequence[Clip]) -> list[Example]:
    """Every clip as it is."""
    return [Example((Layer(i),)) for i in range(len(clips))]


def variations(training: Sequence[int], pieces: Sequence[int], n: int, seed: int) -> list[Example]:
    """Return `n` variations and mixtures of the training clips and of other pieces, both given by index.

    Pieces, of which nobody knows the genre, take a part of the place; each comes once before any comes twice.
    """
    rng = np.random.default_rng(seed)
    queue = cycle(rng.permutation(pieces).tolist()) if len(pieces) else None
    return [_variation(training, queue, rng) for _ in range(n)]


def _variation(training: Sequence[int], pieces: Iterator[int] | None, rng: np.random.Generator) -> Example:
    def layer(sound: int) -> Layer:
        return Layer(sound, float(rng.uniform(*_SPEEDS)))

    with_piece = pieces is not None and rng.random() < _PIECE_SHARE
    layers = [layer(next(pieces) if with_piece and pieces else int(rng.choice(training)))]
    if rng.random() < _MIXED_SHARE:
        under = layer(int(rng.choice(training)))
        layers.append(replace(under, gain_db=float(rng.uniform(*_UNDER_DB))))
    return Example(tuple(layers))


def render(example: Example, sound_of: Callable[[int], FloatArray], sr: int) -> FloatArray:
    """Sound of an example, mono at `sr` Hz; `sound_of` gives that of a clip. Layers are equally loud at 0 dB."""
    if example.is_original:
        return sound_of(example.layers[0].clip)
    played = [_play(layer, sound_of(layer.clip), sr) for layer in example.layers]
    length = max(y.size for y in played)
    mixture: FloatArray = np.sum([np.resize(y, length) for y in played], axis=0, dtype=np.float32)
    return mixture / max(1.0, float(np.abs(mixture).max()))


def _play(layer: Layer, y: FloatArray, sr: int) -> FloatArray:
    faster = soxr.resample(y, sr * layer.speed, sr)[: round(_MAX_S * sr)]
    loudness = float(np.sqrt(np.mean(faster**2))) + 1e-9
    played: FloatArray = (faster * (0.1 / loudness) * 10 ** (layer.gain_db / 20)).astype(np.float32)
    return played
