"""What is drawn, as a picture or as a page: points in groups, and the tracks that a person asked about."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musrecd.map.layout import peak
from musrecd.types import FloatArray

OTHER = "Other"
MOST_GROUPS = 12
MOST_NAMED = 12
# Told apart on white and on black; the grey is for what has no group of its own.
COLOURS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#dcb72c",
    "#3bb3c3", "#9c755f", "#ff8fa3", "#9ccb5b", "#7b61d9", "#d4458f",
)  # fmt: skip
GREY = "#9aa0a6"
# How much room the names of groups need, in the units of the map.
_APART_X, _APART_Y = 0.3, 0.07


@dataclass(frozen=True, slots=True)
class Place:
    """A track on the map, by the names that are shown."""

    artist: str
    title: str

    @property
    def name(self) -> str:
        """Artist and title, as far as they are known."""
        return " – ".join(filter(None, (self.artist, self.title)))


@dataclass(frozen=True, slots=True)
class Group:
    """Tracks of one colour; `name_at` (x, y) is a place for the name, None where there is no room for it."""

    name: str
    colour: str
    size: int
    name_at: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Chart:
    """The map: `positions` (n, 2) in -1 to 1, upwards is positive; `group` (n,) are indexes of `groups`.

    `seeds` and `path` are indexes of places; the path goes from stop to stop in its order.
    """

    title: str
    places: tuple[Place, ...]
    positions: FloatArray
    groups: tuple[Group, ...]
    group: np.ndarray
    seeds: tuple[int, ...] = ()
    path: tuple[int, ...] = ()


def named(seeds: Sequence[int], path: Sequence[int]) -> list[int]:
    """Return the places whose names stand on the map: the ends of the path, and seeds if they are not too many."""
    ends = [path[0], path[-1]] if path else []
    return list(dict.fromkeys([*ends, *[seed for seed in seeds if seed not in path][:MOST_NAMED]]))


def group_by(
    words: Sequence[str], positions: FloatArray, named: Sequence[int] = ()
) -> tuple[tuple[Group, ...], np.ndarray]:
    """Return the most frequent of `words`, one for each place, as groups, and the group of each place.

    The rest are a last group, Other. Words that differ in case alone are one. Names of groups stay clear of the
    places that are `named`.
    """
    spelled: dict[str, str] = {}
    for word in words:
        spelled.setdefault(word.casefold(), word)
    counts = Counter(word.casefold() for word in words if word)
    chosen = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_GROUPS]]
    index = {word: i for i, word in enumerate(chosen)}
    group = np.array([index.get(word.casefold(), len(chosen)) for word in words], int)
    names_at = _room_for_names([peak(positions[group == i]) for i in range(len(chosen))], positions[list(named)])
    groups = [Group(spelled[word], COLOURS[i], int((group == i).sum()), names_at[i]) for i, word in enumerate(chosen)]
    if n_others := int((group == len(chosen)).sum()):
        groups.append(Group(OTHER, GREY, n_others, None))
    return tuple(groups), group


def _room_for_names(peaks: Sequence[FloatArray], taken: FloatArray) -> list[tuple[float, float] | None]:
    """Keep the places of names that lie clear of what is `taken` and of those before them: the larger wins."""
    names: list[tuple[float, float] | None] = []
    there = [(float(x), float(y)) for x, y in taken]
    for x, y in peaks:
        is_free = all(abs(other_y - y) > _APART_Y or abs(other_x - x) > _APART_X for other_x, other_y in there)
        names.append((float(x), float(y)) if is_free else None)
        there += [name for name in names[-1:] if name]
    return names
