"""Tracks in an order that flows: from one to another in even steps, and any list as a set that a DJ could play."""

import numpy as np

from musrecd.keys import KEYS, Relation, relation
from musrecd.recommend.tours import shortest_order
from musrecd.types import FloatArray

# Candidates beside each point on the way.
_WIDTH = 32
# A step counts by this power of its angle, so that the largest one is what is made smaller.
_LARGEST_FIRST = 8

# What a step costs, of 1 each: for its sound, for its tempo, for its key. Tempo counts most, because it cannot be mixed
# away; keys that clash are heard for the few bars of a transition only.
SOUND, TEMPO, KEY = 1.0, 1.5, 0.75
# The deviation of tempo that costs half; what a pitch fader of 6 % just reaches.
_HALFWAY = np.log2(1.06)
# Half and double time mix, but the floor notices.
_OTHER_TIME = 0.15
_UNKNOWN = 0.5
_CLASH = 1.0
_KEY_COSTS = {Relation.SAME: 0.0, Relation.RELATIVE: 0.1, Relation.NEIGHBOUR: 0.2, Relation.ENERGY: 0.5}


def path(
    vectors: FloatArray, start_row: int, end_row: int, n_steps: int, candidates: np.ndarray | None = None
) -> list[int]:
    """Go from one row of unit vectors (n, dim) to another in `n_steps` even steps: n_steps + 1 rows, both included.

    Each row in between is near its point on the great circle and near the row before it, none comes twice, and all are
    among `candidates` (n,) if that is said; there are fewer steps if these do not suffice. Raises ValueError if
    the ends are the same row, or there is no step to take.
    """
    if start_row == end_row or n_steps < 1:
        raise ValueError("a path leads from one row to another, in one step at least")
    may_be = np.ones(len(vectors), bool) if candidates is None else candidates.astype(bool)
    may_be[[start_row, end_row]] = False
    n_between = min(n_steps - 1, int(may_be.sum()))
    points = _great_circle(vectors[start_row], vectors[end_row], n_between)
    layers = _layers(vectors, points, np.flatnonzero(may_be))
    off_the_way = [_angles(vectors[layer], point) ** 2 for layer, point in zip(layers, points, strict=True)]
    ends = [np.array([start_row]), np.array([end_row])]
    return _smoothest(vectors, [ends[0], *layers, ends[1]], [np.zeros(1), *off_the_way, np.zeros(1)])


def flow(
    vectors: FloatArray, bpm: FloatArray, key: np.ndarray, rows: "np.ndarray | list[int]", start: int | None = None
) -> list[int]:
    """Order rows so that each follows well on the one before, in sound, tempo and key; `start`, one of them, is first.

    `bpm` (n,) is NaN and `key` (n,), an index into `keys.KEYS`, -1 where it is unknown. Raises ValueError if `start`
    is not among the rows.
    """
    chosen = np.asarray(rows, np.int64)
    first = None if start is None else chosen.tolist().index(start)
    return [int(chosen[at]) for at in shortest_order(step_costs(vectors[chosen], bpm[chosen], key[chosen]), first)]


def step_costs(vectors: FloatArray, bpm: FloatArray, key: np.ndarray) -> FloatArray:
    """Return what it costs (n, n) to play each column after each row: from 0 to SOUND + TEMPO + KEY.

    Sound costs 1 less the cosine, at most 1. Tempo costs half at a deviation of 6 %, a fifth at 3 %, and a little more
    for half and double time. Keys cost nothing if they are the same, and 1 if they clash. What is unknown costs half.
    """
    sound = np.clip(1 - vectors @ vectors.T, 0, 1)
    cost: FloatArray = SOUND * sound + TEMPO * _tempo_costs(bpm) + KEY * _KEY_TABLE[key[:, None], key]
    return cost


def _tempo_costs(bpm: FloatArray) -> np.ndarray:
    octaves = np.log2(bpm, where=bpm > 0, out=np.full(len(bpm), np.nan))
    apart = np.abs(octaves[:, None] - octaves)
    # Beyond the reach of a fader all deviations are alike, so that one jump is better than two that do not mix either.
    costs = [_saturating(apart), _OTHER_TIME + (1 - _OTHER_TIME) * _saturating(np.abs(apart - 1))]
    known: np.ndarray = np.nan_to_num(np.minimum(*costs), nan=_UNKNOWN)
    return known


def _saturating(octaves: np.ndarray) -> np.ndarray:
    squared: np.ndarray = (octaves / _HALFWAY) ** 2
    cost: np.ndarray = squared / (1 + squared)
    return cost


def _key_table() -> np.ndarray:
    """Costs (25, 25) from key to key; the last row and column are of unknown ones, which -1 leads to."""
    table = np.full((len(KEYS) + 1, len(KEYS) + 1), _UNKNOWN)
    for i, first in enumerate(KEYS):
        for j, second in enumerate(KEYS):
            found = relation(first, second)
            table[i, j] = _KEY_COSTS[found] if found else _CLASH
    return table


_KEY_TABLE = _key_table()


def _great_circle(start: FloatArray, end: FloatArray, n_between: int) -> np.ndarray:
    """Points (n_between, dim) that divide the way from one unit vector to another evenly."""
    t = np.arange(1, n_between + 1)[:, None] / (n_between + 1)
    angle = float(np.arccos(np.clip(start @ end, -1, 1)))
    if np.sin(angle) < 1e-4:  # the same place, or its opposite, to which all ways are as long
        return np.where(t <= 0.5, start, end)
    points: np.ndarray = (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
    return points


def _layers(vectors: FloatArray, points: np.ndarray, candidates: np.ndarray) -> list[np.ndarray]:
    """Give each point its nearest rows, in turns, so that no row belongs to two of them and none goes empty-handed."""
    n_looked = min(_WIDTH * len(points), len(candidates))
    nearest = []
    for point in points.astype(vectors.dtype):
        scores = (vectors @ point)[candidates]
        best = np.argpartition(scores, len(scores) - n_looked)[len(scores) - n_looked :]
        nearest.append(iter(candidates[best[np.lexsort((best, -scores[best]))]].tolist()))
    taken: set[int] = set()
    layers: list[list[int]] = [[] for _ in points]
    for _ in range(_WIDTH):
        for layer, rows in zip(layers, nearest, strict=True):
            if (row := next((row for row in rows if row not in taken), None)) is not None:
                taken.add(row)
                layer.append(row)
    return [np.array(layer) for layer in layers]


def _smoothest(vectors: FloatArray, layers: list[np.ndarray], costs: list[np.ndarray]) -> list[int]:
    """Choose one row of each layer, so that they and the steps between them cost least in all (Viterbi)."""
    total, before = costs[0], []
    for previous, layer, cost in zip(layers, layers[1:], costs[1:], strict=False):
        steps = total[:, None] + _angles(vectors[previous], vectors[layer].T) ** _LARGEST_FIRST
        before.append(steps.argmin(axis=0))
        total = cost + steps.min(axis=0)
    at = int(total.argmin())
    rows = [int(layers[-1][at])]
    for layer, came_from in zip(layers[-2::-1], before[::-1], strict=True):
        at = int(came_from[at])
        rows.append(int(layer[at]))
    return rows[::-1]


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles, in radians, between unit vectors in rows and in columns."""
    angles: np.ndarray = np.arccos(np.clip(first @ second, -1, 1))
    return angles
