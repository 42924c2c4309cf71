"""In which order steps cost least: exact for a few places, close to it for hundreds. Costs may depend on direction."""

import numpy as np

from musrecd.types import FloatArray

_MOST_EXACT = 9
_LONGEST_SEGMENT = 3
_ROUNDING = 1e-9


def shortest_order(cost: FloatArray, start: int | None = None) -> list[int]:
    """Order all n places so that the steps between them cost least; `cost` (n, n) is of a step from row to column.

    The order begins with `start`, anywhere if that is None, and ends anywhere. Exact for up to nine places; beyond
    that nearest neighbours, improved until neither turning a stretch round nor moving up to three places helps. The
    same costs give the same order.
    """
    n = len(cost)
    if n < 2:
        return list(range(n))
    with_ends, first = _with_ends(np.asarray(cost, np.float64), start)
    inner = [place for place in range(n) if place != start]
    if len(inner) <= _MOST_EXACT:
        order = _exact(with_ends, inner, first)
    else:
        order = [int(place) for place in _improved(with_ends, _greedy(with_ends, inner, first))[1:-1]]
    return order if start is None else [start, *order]


def _with_ends(cost: np.ndarray, start: int | None) -> tuple[np.ndarray, int]:
    """Add two places from and to which every step is free, so that an order has two fixed ends."""
    n = len(cost)
    with_ends = np.zeros((n + 2, n + 2))
    with_ends[:n, :n] = cost
    return with_ends, n if start is None else start


def _exact(cost: np.ndarray, inner: list[int], first: int) -> list[int]:
    """Try all orders, each set of places once for each of its possible last ones (Held and Karp)."""
    n = len(inner)
    between = cost[np.ix_(inner, inner)]
    best = np.full((1 << n, n), np.inf)
    before = np.zeros((1 << n, n), np.int64)
    for place in range(n):
        best[1 << place, place] = cost[first, inner[place]]
    for visited in range(1, 1 << n):
        for place in range(n):
            if not visited >> place & 1:
                steps = best[visited] + between[:, place]
                longer = visited | 1 << place
                before[longer, place] = last = int(steps.argmin())
                best[longer, place] = steps[last]
    visited = (1 << n) - 1
    place = int(best[visited].argmin())
    order = []
    while visited:
        order.append(inner[place])
        visited, place = visited & ~(1 << place), int(before[visited, place])
    return order[::-1]


def _greedy(cost: np.ndarray, inner: list[int], first: int) -> np.ndarray:
    """Go to the nearest place that is left, again and again."""
    left = np.array(inner)
    order = [first]
    while left.size:
        at = int(cost[order[-1], left].argmin())
        order.append(int(left[at]))
        left = np.delete(left, at)
    return np.array([*order, len(cost) - 1])


def _improved(cost: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Make the best change around each place in turn until none helps; both ends stay."""
    last, at, n_unchanged = len(order) - 2, 1, 0
    while n_unchanged < last:
        changed = _changed(cost, order, at)
        n_unchanged = n_unchanged + 1 if changed is None else 0
        order = order if changed is None else changed
        at = at % last + 1
    return order


def _changed(cost: np.ndarray, order: np.ndarray, at: int) -> np.ndarray | None:
    """Return the order after the best change of a stretch that begins at `at`, None if none helps."""
    ahead, back = cost[order[:-1], order[1:]], cost[order[1:], order[:-1]]
    saved, until = _best_turn(cost, order, at, np.cumsum(back - ahead), ahead)
    best, change = saved, [order[:at], order[at : until + 1][::-1], order[until + 1 :]]
    for end in range(at + 1, min(at + _LONGEST_SEGMENT, len(order) - 1) + 1):
        turning = float((back - ahead)[at : end - 1].sum())
        for is_turned in (False, True)[: end - at]:
            segment = order[at:end][::-1] if is_turned else order[at:end]
            saved, to = _best_move(cost, order, ahead, (at, end), segment)
            saved += turning * is_turned
            if saved < best:
                rest = np.concatenate([order[:at], order[end:]])
                to = to if to < at else to - (end - at)
                best, change = saved, [rest[: to + 1], segment, rest[to + 1 :]]
    return np.concatenate(change) if best < -_ROUNDING else None


def _best_turn(
    cost: np.ndarray, order: np.ndarray, at: int, turning: np.ndarray, ahead: np.ndarray
) -> tuple[float, int]:
    """Find up to where to turn the order round from `at` on; below 0 is what that saves.

    `turning` (n - 1,): what it costs to go the steps up to each the other way.
    """
    before, first = order[at - 1], order[at]
    change = cost[before, order[at:-1]] + cost[first, order[at + 1 :]] - ahead[at - 1] - ahead[at:]
    change += turning[at - 1 : -1] - turning[at - 1]
    best = int(change.argmin())
    return float(change[best]), at + best


def _best_move(
    cost: np.ndarray, order: np.ndarray, ahead: np.ndarray, span: tuple[int, int], segment: np.ndarray
) -> tuple[float, int]:
    """Find behind which position to put what stands in a span, in the order of `segment`; below 0 is what it saves."""
    at, end = span
    change = cost[order[:-1], segment[0]] + cost[segment[-1], order[1:]] - ahead
    change[at - 1 : end] = np.inf
    closed = cost[order[at - 1], order[end]] - ahead[at - 1] - ahead[end - 1]
    best = int(change.argmin())
    return float(change[best] + closed), best
