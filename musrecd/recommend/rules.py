"""Which rows satisfy the rules, and which rules the others break: masks over all rows."""

from collections.abc import Iterator, Sequence
from enum import IntFlag
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from musrecd.labels import believed, columns_of
from musrecd.recommend.asking import Rules
from musrecd.recommend.mixing import deviation, keys_allowed
from musrecd.recommend.query import Query
from musrecd.types import Features

if TYPE_CHECKING:
    import numpy.typing as npt

_ROUNDING = 1e-6
_WIDENED = 2


class Broken(IntFlag):
    """The rules that can be relaxed; the earlier one stands here, the sooner it gives way."""

    NONE = 0
    TEMPO = 1
    KEY = 2
    LABELS = 4
    GENRE = 8


class Verdict(NamedTuple):
    """Of each row: whether it may be a result at all, and which of the rules that need no names it breaks.

    `active` are the rules that can be applied, `unknown` those that no seed has what is needed for. A tempo is off by
    twice the rule at most: rows beyond it, or without one, may not be results.
    """

    possible: "npt.NDArray[np.bool_]"
    broken: "npt.NDArray[np.uint8]"
    active: Broken
    unknown: Broken

    def breaks(self, tier: "Tier") -> "npt.NDArray[np.bool_] | None":
        """Say which rows break the rules of a tier and no others, the genre aside; None for all."""
        if not self.active & ~Broken.GENRE:
            return None
        found: npt.NDArray[np.bool_] = (self.broken > 0) if tier.others else (self.broken == 0)
        return found | (self.broken == 0) if tier.genre else found


class Tier(NamedTuple):
    """Results that are as good as each other before their scores are looked at.

    `others`: some of tempo, key and labels are broken; `genre`: the genre is, and the others may be, too.
    """

    others: bool
    genre: bool


def judge(rules: Rules, query: Query, features: Features, *, has_genre: bool) -> Verdict:
    """Judge all rows by everything but their genre; `has_genre` if one of the seeds has any.

    Raises MusrecError if a label is asked for that is none.
    """
    asked = _flags(rules.tempo is not None, rules.key is not None, bool(rules.labels), bool(rules.genres))
    known = _flags(bool(query.bpms), bool(query.keys), True, has_genre)
    possible = _within(features.duration_s, rules.length_s)
    broken = np.zeros(len(possible), np.uint8)
    if rules.not_labels:
        possible &= ~_any_label(rules.not_labels, features)
    if rules.tempo is not None and query.bpms:
        off = deviation(features.bpm, query.bpms)
        broken[off > rules.tempo + _ROUNDING] |= np.uint8(Broken.TEMPO)
        possible &= off <= _WIDENED * rules.tempo + _ROUNDING
    if rules.key is not None and query.keys:
        broken[~keys_allowed(rules.key, features.key, query.keys)] |= np.uint8(Broken.KEY)
    if rules.labels:
        broken[~_labels_hold(rules.labels, features)] |= np.uint8(Broken.LABELS)
    return Verdict(possible, broken, active=asked & known, unknown=asked & ~known)


def relaxations(active: Broken) -> Iterator[Tier]:
    """Yield who comes first: what fits all rules, what is at least of the genre, the rest; each by score.

    Of what does not fit, how it sounds says more than how many rules it breaks: measured on the clips of `mix`, genre
    precision was .644 when those came first that break the fewest.
    """
    yield Tier(others=False, genre=False)
    if active & ~Broken.GENRE:
        yield Tier(others=True, genre=False)
    if Broken.GENRE in active:
        yield Tier(others=bool(active & ~Broken.GENRE), genre=True)


def _flags(*are: bool) -> Broken:
    rules = (rule for rule, is_set in zip(Broken, are, strict=True) if is_set)
    return reduce(or_, rules, Broken.NONE)


def _within(values: "npt.NDArray[np.float32]", limits: tuple[float | None, float | None]) -> "npt.NDArray[np.bool_]":
    least, most = limits
    found = np.ones(len(values), bool)
    if least is not None:
        found &= values >= least
    if most is not None:
        found &= values <= most
    return found


def _labels_hold(alternatives: Sequence[Sequence[str]], features: Features) -> "npt.NDArray[np.bool_]":
    held = np.zeros(len(features.duration_s), bool)
    for names in alternatives:
        every = [_any_label((name,), features) for name in names]
        held |= np.logical_and.reduce(every, axis=0)
    return held


def _any_label(names: Sequence[str], features: Features) -> "npt.NDArray[np.bool_]":
    columns = sorted({column for name in names for column in columns_of(name, features.labels)})
    told = believed(features.probabilities, features.labels, columns)
    found: npt.NDArray[np.bool_] = np.logical_or.reduce(told, axis=1)
    return found
