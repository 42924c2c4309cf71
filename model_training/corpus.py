"""The prepared examples in memory: spectra, teacher answers, truths; and batches of random excerpts of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model_training.datasets.base import Clip
from model_training.examples import Example
from model_training.labels import LABELS, teacher_targets, truth
from model_training.plan import Sounds
from model_training.prepare import shard_path
from musrecd.types import FloatArray

_MIN_SPREAD = 1e-3
_SILENCE_DB = -99.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Prepared examples. `spectra[i]` is (n_mels, n_frames_i) float16; the others have one row per example.

    `teacher_embeddings` are z-scored over the training examples; `label_targets` (n, n_labels) hold truths
    where a data set knows them, teacher probabilities where not, 0 (mixtures: NaN) where nobody does. `is_truth`
    marks the first kind, `training` the examples made of training clips alone.
    """

    spectra: list[np.ndarray]
    teacher_embeddings: dict[str, FloatArray]
    teacher_probabilities: dict[str, FloatArray]
    label_targets: FloatArray
    is_truth: np.ndarray
    training: np.ndarray


@dataclass(frozen=True, slots=True)
class Batch:
    """Excerpts (n, n_mels, n_frames) in dB and, row by row, what is known of their examples."""

    S: Tensor
    example: Tensor
    teacher_embeddings: dict[str, Tensor]
    teacher_probabilities: dict[str, Tensor]
    label_targets: Tensor
    is_truth: Tensor


def load_corpus(cache: Path, sounds: Sounds, vocabularies: dict[str, list[str]]) -> Corpus:
    """Read the shards that are there; `sounds` are those they were made of.

    Raises FileNotFoundError if there is none, ValueError if they were made of other examples.
    """
    spectra: list[np.ndarray] = []
    columns: dict[str, list[np.ndarray]] = {}
    for path in _shards(cache):
        with np.load(path, allow_pickle=False) as shard:
            _check(path, shard, [e.name(sounds.clips) for e in sounds.examples[len(spectra) :]])
            ends = np.cumsum(shard["n_frames"])
            spectra += np.split(shard["S"], ends[:-1], axis=1)
            for key in shard.files:
                if "/" in key:
                    columns.setdefault(key, []).append(shard[key])
    arrays = {key: np.concatenate(parts).astype(np.float32) for key, parts in columns.items()}
    examples = sounds.examples[: len(spectra)]
    held_out = [sounds.clips[e.layers[0].clip].name in sounds.held_out for e in examples]
    # Silence teaches nothing; a file that could not be decoded was prepared as such.
    training = ~np.array(held_out) & np.array([S.max() > _SILENCE_DB for S in spectra])
    probabilities = {t: arrays[f"{t}/probabilities"] for t in vocabularies}
    nobody = np.full((len(examples), len(LABELS)), np.nan, np.float32)
    opinions = teacher_targets(probabilities, vocabularies) if probabilities else nobody
    targets, is_truth = _targets(sounds.clips, examples, opinions)
    return Corpus(
        spectra=spectra,
        teacher_embeddings={t: _z_score(arrays[f"{t}/embedding"], training) for t in vocabularies},
        teacher_probabilities=probabilities,
        label_targets=targets,
        is_truth=is_truth,
        training=training,
    )


def _shards(cache: Path) -> list[Path]:
    """List the shards up to the first that is missing; behind a gap the order would be lost."""
    shards = list(takewhile(Path.exists, (shard_path(cache, i) for i in count())))
    if not shards:
        raise FileNotFoundError(f"{cache} holds no shards; run `python -m model_training prepare` first")
    return shards


def _check(path: Path, shard: Mapping[str, np.ndarray], expected: list[str]) -> None:
    held = shard["examples"].tolist()
    if held != expected[: len(held)]:
        raise ValueError(f"{path} holds other examples than these clips and variations make; prepare into a new folder")


def _z_score(embeddings: FloatArray, training: np.ndarray) -> FloatArray:
    spread = embeddings[training].std(0)
    z: FloatArray = (embeddings - embeddings[training].mean(0)) / np.maximum(spread, _MIN_SPREAD)
    return np.clip(z, -5, 5)


def _targets(clips: Sequence[Clip], examples: Sequence[Example], targets: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Put the truths over the teachers' opinions wherever an example is one clip, at whatever speed.

    A label that neither its data set nor any teacher knows is presumed absent: most kinds of music are, and
    without that the rare ones are predicted for everything that nobody denied them.
    """
    is_truth = np.zeros(targets.shape, bool)
    for row, example in enumerate(examples):
        if len(example.layers) > 1:
            continue
        for column, source in enumerate(LABELS):
            value = truth(source, clips[example.layers[0].clip])
            if value is not None:
                targets[row, column] = value
                is_truth[row, column] = True
            elif np.isnan(targets[row, column]):
                targets[row, column] = 0.0
    return targets, is_truth


def batches(corpus: Corpus, *, n_examples: int, n_excerpts: int, n_frames: int, seed: int) -> Iterator[Batch]:
    """Random batches for ever: `n_excerpts` excerpts of each of `n_examples` training examples.

    Labelled clips are drawn as often as mixtures, however many mixtures there are; mixtures of which no teacher
    speaks are not drawn.
    """
    rng = np.random.default_rng(seed)
    labelled = np.flatnonzero(corpus.training & corpus.is_truth.any(1))
    others = np.flatnonzero(corpus.training & ~corpus.is_truth.any(1) & bool(corpus.teacher_embeddings))
    n_labelled = n_examples // 2 if others.size else n_examples
    while True:
        drawn = [rng.choice(labelled, n_labelled, replace=False)]
        if others.size:
            drawn.append(rng.choice(others, n_examples - n_labelled, replace=others.size < n_examples))
        rows = np.repeat(np.concatenate(drawn), n_excerpts)
        S = np.stack([_excerpt(corpus.spectra[row], n_frames, rng) for row in rows])
        yield _batch(corpus, rows, S)


def _batch(corpus: Corpus, rows: np.ndarray, S: FloatArray) -> Batch:
    return Batch(
        # torch widens half floats many times as fast as numpy.
        S=torch.from_numpy(S).float(),
        example=torch.from_numpy(rows),
        teacher_embeddings={t: torch.from_numpy(e[rows]) for t, e in corpus.teacher_embeddings.items()},
        teacher_probabilities={t: torch.from_numpy(p[rows]) for t, p in corpus.teacher_probabilities.items()},
        label_targets=torch.from_numpy(corpus.label_targets[rows]),
        is_truth=torch.from_numpy(corpus.is_truth[rows]),
    )


def _excerpt(S: np.ndarray, n_frames: int, rng: np.random.Generator) -> np.ndarray:
    if S.shape[1] < n_frames:
        S = np.tile(S, (1, -(-n_frames // S.shape[1])))
    start = int(rng.integers(0, S.shape[1] - n_frames + 1))
    return S[:, start : start + n_frames]
