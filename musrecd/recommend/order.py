"""Rows by falling score, lazily: who takes ten pays for ten, not for a sort of everything."""

import heapq
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np

from musrecd.types import FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

_FIRST_LOOK = 64
_WIDER = 8
_EVERY = 16
_AT_ONCE = 32


class Scorer(Protocol):
    """Knows at once what each row scores at most, and what it does score when it is asked."""

    ceiling: FloatArray

    def exact(self, rows: "npt.NDArray[np.intp]") -> FloatArray:
        """Return the scores of rows, none above its ceiling."""


def falling(scores: FloatArray) -> Iterator["npt.NDArray[np.intp]"]:
    """Yield rows in blocks, by falling score, equal ones by row; those of -inf are left out."""
    n_wanted, n_given = _FIRST_LOOK, 0
    while (best := _best(scores, n_wanted)).size > n_given:
        yield best[n_given:]
        if best.size < n_wanted:
            return
        n_wanted, n_given = n_wanted * _WIDER, best.size


def best_first(scorer: Scorer, candidates: "npt.NDArray[np.bool_] | None") -> Iterator[tuple[int, float]]:
    """Yield the rows of a mask, all if None, with their exact scores, highest first, equal ones by row.

    Exact scores are worked out only for rows whose ceiling could still put them next.
    """
    waiting: list[tuple[float, int]] = []
    ceiling = scorer.ceiling if candidates is None else np.where(candidates, scorer.ceiling, np.float32(-np.inf))
    for block in falling(ceiling):
        for start in range(0, block.size, _AT_ONCE):
            rows = block[start : start + _AT_ONCE]
            highest = float(scorer.ceiling[rows[0]])
            while waiting and -waiting[0][0] > highest:
                score, row = heapq.heappop(waiting)
                yield row, -score
            for row, score in zip(rows.tolist(), scorer.exact(rows).tolist(), strict=True):
                heapq.heappush(waiting, (-score, row))
    while waiting:
        score, row = heapq.heappop(waiting)
        yield row, -score


def _best(scores: FloatArray, n: int) -> "npt.NDArray[np.intp]":
    """Return the `n` best rows in order; ties are broken by row, so that a wider look agrees."""
    least = _no_more_than_nth(scores, n)
    candidates = np.flatnonzero(scores >= least if least > -np.inf else scores > -np.inf)
    if n < candidates.size:
        of_candidates = scores[candidates]
        threshold = np.partition(of_candidates, candidates.size - n)[candidates.size - n]
        candidates = candidates[of_candidates >= threshold]
    order = np.lexsort((candidates, -scores[candidates]))
    best: npt.NDArray[np.intp] = candidates[order][:n]
    return best


def _no_more_than_nth(scores: FloatArray, n: int) -> float:
    """Return a score that at least `n` rows have, quickly: the nth best of a few of them."""
    few = scores[::_EVERY]
    return float(np.partition(few, few.size - n)[few.size - n]) if n < few.size else -np.inf
