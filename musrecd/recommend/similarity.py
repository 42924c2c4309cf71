"""Which rows of a matrix of unit vectors are nearest to a seed: exact, by cosine."""

from collections.abc import Collection, Iterator

import numpy as np

from musrecd.recommend.order import falling
from musrecd.types import FloatArray, Match


def mean_direction(embeddings: FloatArray) -> FloatArray:
    """Return the unit vector (dim,) in the middle of unit vectors (n, dim).

    Vectors that cancel out have no middle; then it is the first of them.
    """
    mean: np.ndarray = embeddings.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        first: FloatArray = embeddings[0]
        return first
    direction: FloatArray = (mean / length).astype(np.float32)
    return direction


def nearest(
    vectors: FloatArray, query: FloatArray, *, without: Collection[int] = (), min_score: float = -1.0
) -> Iterator[Match]:
    """Yield rows of `vectors` (n, dim) by falling cosine to `query` (dim,), equal ones by row.

    Lazily: who takes ten pays for ten, not for a sort of everything. Rows in `without` and scores below
    `min_score` are left out.
    """
    scores: FloatArray = np.clip(vectors @ query, -1, 1)
    left_out = np.zeros(len(scores), bool)
    left_out[[row for row in without if 0 <= row < len(scores)]] = True
    candidates = np.flatnonzero(~left_out & (scores >= min_score))
    for block in falling(scores, candidates):
        for row in block:
            yield Match(int(row), float(scores[row]))
