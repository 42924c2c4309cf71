"""Whether a track is of the genres that were asked for: a person's word for it, or else what the encoder believes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from musrecd.labels import believed, likeliest
from musrecd.recommend.asking import Rules
from musrecd.recommend.query import Query, genres_of, heard_genres, likeliest_genre
from musrecd.spelling import parts_of, spelling_key
from musrecd.types import Features, Label

if TYPE_CHECKING:
    import numpy.typing as npt

Alternatives = frozenset[frozenset[str]]


class GenreRule:
    """Of the alternatives one must hold, of the genres within one all, however they are spelled.

    `set_` are compared with genres that a person set, `heard` with those of the encoder where nobody did. `guessed` are
    the names of the most probable genres, if no seed has one that is believed: they count, and so does the most
    probable one of a row of which none is believed either.
    """

    def __init__(self, set_: Alternatives, heard: Alternatives, guessed: tuple[str, ...] = ()) -> None:
        self._set, self.heard, self.guessed = set_, heard, guessed

    @classmethod
    def of(cls, rules: Rules, query: Query, labels: Sequence[Label], *, may_guess: bool = False) -> Self | None:
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
            return cls._guess(rules, query, labels) if may_guess else None
        set_, to_hear = (_alternatives(genres, every=rules.genres == "same") for genres in (words, heard))
        return cls(set_, to_hear)

    @classmethod
    def _guess(cls, rules: Rules, query: Query, labels: Sequence[Label]) -> Self | None:
        words = [likeliest_genre(seed, labels) for seed in query.likes]
        guessed = tuple(dict.fromkeys(word for own in words for word in own))
        alternatives = _alternatives(words, every=rules.genres == "same")
        return cls(alternatives, alternatives, guessed) if guessed else None

    def notes(self) -> Iterator[str]:
        """Say what a person should know of the rule."""
        if self.guessed:
            yield f"no genre is certain for what was asked about; the most probable counts: {', '.join(self.guessed)}"

    def holds(self, genres: Iterable[str]) -> bool:
        """Say whether a track is of the genres by those that a person set for it."""
        keys = keys_of(genres)
        return any(alternative <= keys for alternative in self._set)


class HeardGenres:
    """What the encoder believes of the genres of rows that nobody set any for."""

    def __init__(self, features: Features, rule: GenreRule | None) -> None:
        self._features = features
        self._guesses = rule is not None and bool(rule.guessed)
        self._columns = [i for i, label in enumerate(features.labels) if label.group == "genre"]
        keys = [spelling_key(features.labels[column].name) for column in self._columns]
        self._alternatives = [
            [keys.index(key) for key in alternative]
            for alternative in (rule.heard if rule is not None else ())
            if alternative <= set(keys)
        ]

    def fit(self, rows: "npt.NDArray[np.intp]") -> "npt.NDArray[np.bool_]":
        """Say which rows are of the genres of the rule: (n,)."""
        told = self._told(rows)
        if self._guesses:
            uncertain = ~told.any(axis=1)
            told[uncertain] = likeliest(self._features.probabilities[rows[uncertain]], self._columns)
        fit = np.zeros(rows.size, bool)
        for columns in self._alternatives:
            fit |= np.logical_and.reduce(told[:, columns], axis=1)
        return fit

    def names(self, row: int) -> tuple[str, ...]:
        """Return the genres believed of a row."""
        told = self._told(np.array([row]))[0]
        return tuple(self._features.labels[self._columns[i]].name for i in np.flatnonzero(told))

    def _told(self, rows: "npt.NDArray[np.intp]") -> "npt.NDArray[np.bool_]":
        return believed(self._features.probabilities[rows], self._features.labels, self._columns)


def keys_of(genres: Iterable[str]) -> set[str]:
    """Return what genres are compared by; those put together from several are also each of them."""
    return {spelling_key(part) for part in parts_of(genres)}


def _alternatives(genres: Iterable[Sequence[str]], *, every: bool) -> Alternatives:
    if every:
        return frozenset(frozenset(map(spelling_key, names)) for names in genres if names)
    return frozenset(frozenset({key}) for names in genres for key in keys_of(names))
