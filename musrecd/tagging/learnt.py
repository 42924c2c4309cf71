"""What was learnt of a person's own genres: a linear head on the embedding, and how far it can be trusted.

Pure numpy, because `beet tagpredict` and the daemon ask it; what makes one is in `learning.py`.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from musrecd.errors import LearningError
from musrecd.types import FloatArray

_FORMAT = 1
_ARRAYS = ("weights", "bias", "slopes", "offsets", "thresholds")
# Beyond that a float32 cannot tell a probability from 0 or 1.
_LEAST = 1e-6
_UNREADABLE = "the learnt genres cannot be read; learn them again with `beet tagpredict --learn`"


@dataclass(frozen=True, slots=True)
class GenreReport:
    """How well one genre was told for artists that had no part in learning; shares are 0 to 1.

    `precision` is the share of the tracks over the threshold that have the genre (None if there were none), `recall`
    the share of the genre's tracks that are over it, `share_written` that of all tracks. `average_precision` needs no
    threshold; what a coin would reach is n_tracks / Report.n_tracks.
    """

    name: str
    n_tracks: int
    n_artists: int
    precision: float | None
    recall: float
    share_written: float
    average_precision: float


@dataclass(frozen=True, slots=True)
class NotLearnt:
    """A genre that there is too little of; `reason` like `too few artists: 1`."""

    name: str
    n_tracks: int
    n_artists: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What cross-validation over artists found.

    `n_tracks` were learnt from. `accuracy` is the share of them, among those with a learnt genre, whose most probable
    genre is one of theirs; `share_written` that of all which get at least one genre, `precision` the share of the
    first genres written that are right (None if none was). `confusion` (n_genres, n_genres) counts tracks by their
    own first genre (row) and the most probable one (column), in the order of `genres`.
    """

    n_tracks: int
    n_artists: int
    accuracy: float
    share_written: float
    precision: float | None
    genres: tuple[GenreReport, ...]
    not_learnt: tuple[NotLearnt, ...]
    confusion: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """A head for the embeddings of one encoder; make predictions with `probabilities`.

    `weights` (n_classes, dim) and `bias` (n_classes,) give scores; a last class without a name, where there is one,
    stands for all genres that were not learnt. `slopes` and `offsets` (n_genres,) calibrate. A genre is worth writing
    from its `thresholds` (n_genres,) on, which is infinite where nothing is certain enough. `strength` and
    `temperature` are what learning settled on.
    """

    names: tuple[str, ...]
    encoder_version: str
    weights: FloatArray
    bias: FloatArray
    slopes: FloatArray
    offsets: FloatArray
    thresholds: FloatArray
    strength: float
    temperature: float
    report: Report

    def to_bytes(self) -> bytes:
        """Return everything as the bytes of an .npz file; the same head gives the same bytes."""
        described = {
            "format": _FORMAT,
            "names": self.names,
            "encoder_version": self.encoder_version,
            "strength": self.strength,
            "temperature": self.temperature,
            "report": {name: value for name, value in asdict(self.report).items() if name != "confusion"},
        }
        text = np.frombuffer(json.dumps(described).encode(), np.uint8)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, described=text, confusion=self.report.confusion, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises LearningError if it is anything else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            described = json.loads(arrays.pop("described").tobytes())
            learnt = cls._from_parts(described, arrays)
        except Exception as error:  # a damaged zip file raises nearly anything
            raise LearningError(_UNREADABLE) from error
        if described["format"] != _FORMAT or not learnt._fits():
            raise LearningError(_UNREADABLE)
        return learnt

    @classmethod
    def _from_parts(cls, described: Mapping[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        told = dict(described["report"])
        told["genres"] = tuple(GenreReport(**each) for each in told["genres"])
        told["not_learnt"] = tuple(NotLearnt(**each) for each in told["not_learnt"])
        return cls(
            names=tuple(described["names"]),
            encoder_version=described["encoder_version"],
            strength=described["strength"],
            temperature=described["temperature"],
            report=Report(confusion=arrays["confusion"], **told),
            **{name: arrays[name].astype(np.float32) for name in _ARRAYS},
        )

    def _fits(self) -> bool:
        n, n_classes = len(self.names), len(self.bias)
        per_genre = (self.slopes, self.offsets, self.thresholds)
        return (
            n_classes in (n, n + 1)
            and self.weights.ndim == 2
            and len(self.weights) == n_classes
            and all(each.shape == (n,) for each in per_genre)
        )


def probabilities(learnt: Learnt, embeddings: FloatArray) -> FloatArray:
    """How probable each learnt genre is (n, n_genres) for the tracks with these embeddings (n, dim).

    Each genre for itself: a track may have several. Raises LearningError for embeddings of another size.
    """
    if embeddings.ndim != 2 or embeddings.shape[1] != learnt.weights.shape[1]:
        raise LearningError(
            f"embeddings of shape {embeddings.shape} do not fit genres that were learnt for "
            f"{learnt.weights.shape[1]} dimensions; learn them again with `beet tagpredict --learn`"
        )
    return calibrated(embeddings @ learnt.weights.T + learnt.bias, learnt.slopes, learnt.offsets)


def calibrated(scores: np.ndarray, slopes: np.ndarray, offsets: np.ndarray) -> FloatArray:
    """Turn scores (n, n_classes) into probabilities (n, n_genres)."""
    odds = log_odds(scores)[:, : len(slopes)] * slopes + offsets
    # The same as 1 / (1 + exp(-odds)), without overflow.
    result: FloatArray = (0.5 * (1.0 + np.tanh(0.5 * odds))).astype(np.float32)
    return result


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Log odds of each class against all others (n, n_classes)."""
    shares = np.clip(softmax(scores), _LEAST, 1.0 - _LEAST)
    odds: np.ndarray = np.log(shares) - np.log1p(-shares)
    return odds


def softmax(scores: np.ndarray) -> np.ndarray:
    """Shares (n, n_classes) that sum to 1; -inf is a class that cannot be."""
    shares: np.ndarray = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return shares


def own_genres(genres: Sequence[Sequence[str]], names: Sequence[str]) -> np.ndarray:
    """Whether each track has each genre (n, n_genres)."""
    columns = {name: column for column, name in enumerate(names)}
    has = np.zeros((len(genres), len(names)), bool)
    for row, own in enumerate(genres):
        has[row, [columns[name] for name in own if name in columns]] = True
    return has
