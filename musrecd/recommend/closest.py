"""Which part of a result sounds most like which part of what was asked about."""

from collections.abc import Sequence

import numpy as np

from musrecd.display import clock
from musrecd.recommend.asking import Closest
from musrecd.types import Chunks


def closest(result: Chunks, likes: Sequence[tuple[str, Chunks]]) -> Closest | None:
    """Return the two parts whose cosine is the largest, of equal ones the first; `likes` are named.

    None if there are no two chunks of the same dimension.
    """
    pairs = (_closest(result, like, name) for name, like in likes if _are_comparable(result, like))
    return max(pairs, key=lambda pair: pair.sound, default=None)


def closest_line(pair: Closest, whom: str) -> str:
    """Say it in words; `whom` is the track that the second part is of."""
    return f"closest: its {_clock(pair.span_s)} to {_clock(pair.seed_span_s)} of {pair.seed or whom}, {_alike(pair)}"


def _closest(result: Chunks, like: Chunks, name: str) -> Closest:
    cosines = result.directions @ like.directions.T
    i, j = np.unravel_index(int(cosines.argmax()), cosines.shape)
    sound = min(float(cosines[i, j]), 1.0)
    return Closest(_span(result, int(i)), _span(like, int(j)), sound, name)


def _are_comparable(one: Chunks, other: Chunks) -> bool:
    return bool(one.directions.size and other.directions.size) and one.directions.shape[1] == other.directions.shape[1]


def _span(chunks: Chunks, index: int) -> tuple[float, float]:
    begin, end = (round(float(each), 2) for each in chunks.spans_s[index])
    return begin, end


def _clock(span_s: tuple[float, float]) -> str:
    return "–".join(map(clock, span_s))


def _alike(pair: Closest) -> str:
    return f"{max(pair.sound, 0):.0%} alike".replace("%", " %")
