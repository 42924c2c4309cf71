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
from model_training.opinions import teacher_features, translated_opinions
from model_training.plan import Sounds
from model_training.prepare import shard_path
from musrecd.types import FloatArray

_MIN_SPREAD = 1e-3
_SILENCE_DB = -99.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Prepared examples. `spectra[i]` is (n_mels, n_frames_i) float16; the others have one row per example.

    `teacher_embeddings` are z-scored over the training examples; `label_targets` (n, n_labels) hold
    what data sets know and teachers believe, 0 (mixtures: NaN) where nobody says anything. `is_truth` marks where
    a data set knows, `training` the examples made of training clips alone, `clips` the clip of those made of one.
    """

    spectra: list[np.ndarray]
    teacher_embeddings: dict[str, FloatArray]
    teacher_probabilities: dict[str, FloatArray]
    label_targets: FloatArray
    is_truth: np.ndarray
    training: np.ndarray
    clips: Sequence[Clip | None]


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
    embeddings = {t: _z_score(arrays[f"{t}/embedding"], training) for t in vocabularies}
    truths = _truths(sounds.clips, examples)
    translated = mapped = np.full(truths.shape, np.nan, np.float32)
    if probabilities:
        firsts = [sounds.clips[example.layers[0].clip] for example in examples]
        features = teacher_features(embeddings, probabilities)
        mapped = teacher_targets(probabilities, vocabularies)
        translated = translated_opinions(features, truths, np.array([clip.group for clip in firsts]), training)
        translated = np.where(_is_labelled(firsts)[:, None] | ~np.isnan(mapped), translated, np.nan)
    return Corpus(
        spectra=spectra,
        teacher_embeddings=embeddings,
        teacher_probabilities=probabilities,
        label_targets=_targets(truths, translated, mapped, examples),
        is_truth=~np.isnan(truths),
        training=training,
        clips=[sounds.clips[e.layers[0].clip] if len(e.layers) == 1 else None for e in examples],
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


def _truths(clips: Sequence[Clip], examples: Sequence[Example]) -> FloatArray:
    """Look up what data sets know (n, n_labels), NaN elsewhere: of one clip at whatever speed, of no mixture."""
    truths = np.full((len(examples), len(LABELS)), np.nan, np.float32)
    for row, example in enumerate(examples):
        if len(example.layers) == 1:
            values = [truth(source, clips[example.layers[0].clip]) for source in LABELS]
            truths[row] = [np.nan if value is None else value for value in values]
    return truths


def _is_labelled(clips: Sequence[Clip]) -> np.ndarray:
    """Mark clips (n,) of which a data set knows anything.

    Of other sound, rendered pieces above all, a translation into labels that no teacher has a word for is a guess: it
    takes every other piece for what a single collection holds.
    """
    return np.array([any(truth(source, clip) is not None for source in LABELS) for clip in clips])


def _targets(truths: FloatArray, translated: FloatArray, mapped: FloatArray, examples: Sequence[Example]) -> FloatArray:
    """Halfway between truth and translated opinion where there are both: a truth alone is soon learned by heart.

    A label that neither its data set nor any teacher knows is presumed absent of a clip: most kinds of music are,
    and without that the rare ones are predicted for everything that nobody denied them.
    """
    is_single = np.array([[len(example.layers) == 1] for example in examples])
    opinions = np.where(np.isnan(translated), mapped, translated)
    unknown = np.isnan(opinions) & np.isnan(truths) & is_single
    halfway = np.where(np.isnan(translated), truths, (truths + translated) / 2)
    targets: FloatArray = np.where(unknown, 0, np.where(np.isnan(truths), opinions, halfway)).astype(np.float32)
    return targets


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
        S = np.stack([excerpt(corpus.spectra[row], n_frames, rng) for row in rows])
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


def excerpt(S: np.ndarray, n_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random part (n_mels, n_frames) of a spectrum, repeated if it is too short."""
    if S.shape[1] < n_frames:
        S = np.tile(S, (1, -(-n_frames // S.shape[1])))
    start = int(rng.integers(0, S.shape[1] - n_frames + 1))
    return S[:, start : start + n_frames]
