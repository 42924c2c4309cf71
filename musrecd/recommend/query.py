"""What is asked, as numbers: several seeds become one direction, their tempos, keys and genres."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from musrecd.errors import MusrecError
from musrecd.keys import KEYS
from musrecd.labels import believed, in_255ths, likeliest
from musrecd.recommend.asking import Seed
from musrecd.types import FloatArray, Label

if TYPE_CHECKING:
    import numpy.typing as npt

_Tell: TypeAlias = "Callable[[npt.NDArray[np.uint8], Sequence[int]], npt.NDArray[np.bool_]]"


class Query(NamedTuple):
    """All seeds together. `likes` are those that results should be like, `direction` (dim,) their middle.

    `unlike` (n, dim) are the others' embeddings, times their weights. `heard` (n_likes, n_labels) are the likes'
    probabilities in 255ths, `target` (n_labels,) their weighted mean; None if no like has any.
    """

    seeds: tuple[Seed, ...]
    likes: tuple[Seed, ...]
    direction: FloatArray
    unlike: FloatArray
    heard: "npt.NDArray[np.uint8] | None"
    target: "npt.NDArray[np.uint8] | None"

    @property
    def bpms(self) -> tuple[float, ...]:
        """Tempos of the likes that have one."""
        return tuple(seed.bpm for seed in self.likes if seed.bpm is not None and seed.bpm > 0)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the likes that have one."""
        return tuple(seed.key for seed in self.likes if seed.key in KEYS and seed.key is not None)


def query_of(seeds: Sequence[Seed], labels: Sequence[Label]) -> Query:
    """Put the seeds together. Raises MusrecError if there is none that results should be like."""
    likes = tuple(seed for seed in seeds if seed.weight > 0)
    if not likes:
        raise MusrecError("only what results should be unlike was given; name a track that they should be like, too")
    dim = len(likes[0].embedding)
    pushes = [-seed.weight * seed.embedding for seed in seeds if seed.weight < 0]
    known = [seed for seed in likes if len(seed.probabilities) == len(labels) > 0]
    heard = in_255ths(np.array([seed.probabilities for seed in known])) if known else None
    target = None
    if known:
        weights = [seed.weight for seed in known]
        target = in_255ths(np.average([seed.probabilities for seed in known], axis=0, weights=weights))
    return Query(tuple(seeds), likes, _middle(likes), np.array(pushes, np.float32).reshape(-1, dim), heard, target)


def genres_of(seed: Seed, labels: Sequence[Label]) -> tuple[str, ...]:
    """Return the genres that a person set, or else those that are believed."""
    return seed.genres or heard_genres(seed, labels)


def heard_genres(seed: Seed, labels: Sequence[Label]) -> tuple[str, ...]:
    """Return the genres that the encoder is believed to hear."""
    return _told_genres(seed, labels, lambda heard, columns: believed(heard, labels, columns))


def likeliest_genre(seed: Seed, labels: Sequence[Label]) -> tuple[str, ...]:
    """Return the genre that is the most probable, though it may not be believed; none if nothing is probable at all."""
    return _told_genres(seed, labels, likeliest)


def _told_genres(seed: Seed, labels: Sequence[Label], tell: _Tell) -> tuple[str, ...]:
    columns = [i for i, label in enumerate(labels) if label.group == "genre"]
    if len(seed.probabilities) != len(labels):
        return ()
    told = tell(in_255ths(seed.probabilities)[None], columns)[0]
    return tuple(labels[column].name for column, is_told in zip(columns, told, strict=True) if is_told)


def _middle(likes: Sequence[Seed]) -> FloatArray:
    """Return the weighted mean direction (dim,); that of the weightiest if they cancel out."""
    total = sum(seed.weight * seed.embedding.astype(np.float64) for seed in likes)
    length = float(np.linalg.norm(total))
    if length < 1e-6:
        weightiest: FloatArray = max(likes, key=lambda seed: seed.weight).embedding
        return weightiest
    middle: FloatArray = np.asarray(total / length, np.float32)
    return middle
