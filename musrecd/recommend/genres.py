"""Whether a track is of the genres that were asked for: a person's word for it, or else what the encoder believes."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from musrecd.labels import believed
from musrecd.recommend.asking import Entry, Rules
from musrecd.recommend.query import Query, genres_of, heard_genres
from musrecd.spelling import parts_of, spelling_key
from musrecd.types import Features, Label

if TYPE_CHECKING:
    import numpy.typing as npt

Alternatives = frozenset[frozenset[str]]


class GenreRule:
    """Of the alternatives one must hold, of the genres within one all, however they are spelled.

    `set_` are compared with genres that a person set, `heard` with those of the encoder where nobody did.
    """

    def __init__(self, set_: Alternatives, heard: Alternatives) -> None:
        self._set, self._heard = set_, heard

    @classmethod
    def of(cls, rules: Rules, query: Query, labels: Sequence[Label]) -> Self | None:
        """Return None if no genre is asked for, or that of seeds that have none."""
        if not isinstance(rules.genres, str):
            named = frozenset(frozenset(map(spelling_key, names)) for names in rules.genres)
            return cls(named, named) if named else None
        words = [genres_of(seed, labels) for seed in query.likes]
        # Words that the encoder does not know would never be heard.
        known = {spelling_key(label.name) for label in labels if label.group == "genre"}
        heard = [
            tuple(word for word in parts_of(own) if spelling_key(word) in known) or heard_genres(seed, labels)
            for own, seed in zip(words, query.likes, strict=True)
        ]
        if not any(words):
            return None
        return cls(*(_alternatives(genres, every=rules.genres == "same") for genres in (words, heard)))

    def holds(self, entry: Entry, heard: Iterable[str]) -> bool:
        """Say whether a track is of the genres; `heard` are those that the encoder believes."""
        told, wanted = (entry.genres, self._set) if entry.genres else (heard, self._heard)
        keys = keys_of(told)
        return any(alternative <= keys for alternative in wanted)


class Believed:
    """Names the genres that the encoder believes of rows."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._columns = [i for i, label in enumerate(features.labels) if label.group == "genre"]

    def of(self, rows: "npt.NDArray[np.intp]") -> list[tuple[str, ...]]:
        """Return the genres of each row."""
        labels = self._features.labels
        told = believed(self._features.probabilities[rows], labels, self._columns)
        return [tuple(labels[self._columns[i]].name for i in np.flatnonzero(row)) for row in told]


def keys_of(genres: Iterable[str]) -> set[str]:
    """Return what genres are compared by; those put together from several are also each of them."""
    return {spelling_key(part) for part in parts_of(genres)}


def _alternatives(genres: Iterable[Sequence[str]], *, every: bool) -> Alternatives:
    if every:
        return frozenset(frozenset(map(spelling_key, names)) for names in genres if names)
    return frozenset(frozenset({key}) for names in genres for key in keys_of(names))
