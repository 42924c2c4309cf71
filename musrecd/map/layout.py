"""Where tracks lie in two dimensions, so that what sounds alike lies together.

t-SNE (Barnes-Hut, scikit-learn) keeps who is beside whom; distances between islands mean little. Of a large library
an even sample is laid out, and the rest is put among those that it sounds most like.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from musrecd.types import FloatArray

LARGEST_SAMPLE = 5000
_SEED = 20
_PERPLEXITY = 30.0
# Fewer than this have no neighbourhoods; their main directions say as much.
_FEWEST = 10
_NEIGHBOURS = 3
_BLOCK = 4096


def lay_out(vectors: FloatArray, *, sample: int = LARGEST_SAMPLE) -> FloatArray:
    """Return positions (n, 2) in -1 to 1 for unit vectors (n, dim); the same ones for the same vectors.

    Takes about 25 s of CPU for `sample` tracks, and 2 s for every 10,000 beyond.
    """
    n = len(vectors)
    if n <= sample:
        return _scaled(_embedded(vectors))
    rng = np.random.default_rng(_SEED)
    chosen = np.sort(rng.choice(n, sample, replace=False))
    others = np.setdiff1d(np.arange(n), chosen)
    positions = np.empty((n, 2), np.float32)
    positions[chosen] = _embedded(vectors[chosen])
    positions[others] = among(vectors[others], vectors[chosen], positions[chosen])
    return _scaled(positions)


def among(vectors: FloatArray, placed: FloatArray, positions: FloatArray) -> FloatArray:
    """Return positions (n, 2) of unit vectors (n, dim) in the middle of those of `placed` (m, dim) nearest to them.

    The middle is the median: a track between two islands belongs to one of them, not into the sea.
    """
    k = min(_NEIGHBOURS, len(placed))
    # Where many have the same neighbours they would hide one another.
    reach = 0.25 * _spacing(positions)
    found = np.empty((len(vectors), 2), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        closeness = vectors[start : start + _BLOCK] @ placed.T
        nearest = np.argpartition(-closeness, k - 1, axis=1)[:, :k]
        found[start : start + _BLOCK] = np.median(positions[nearest], axis=1)
    scatter: FloatArray = np.random.default_rng(_SEED).normal(size=found.shape).astype(np.float32)
    return found + reach * scatter


def peak(positions: FloatArray) -> FloatArray:
    """Return where (2,) points (n, 2) lie densest: a good place for their name."""
    spread = np.maximum(positions.std(axis=0), 1e-6)
    cells = np.floor((positions - positions.mean(axis=0)) / (0.5 * spread)).astype(int)
    _, cell, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    densest: FloatArray = np.median(positions[cell.ravel() == counts.argmax()], axis=0)
    return densest


def _embedded(vectors: FloatArray) -> FloatArray:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n = len(vectors)
    if n < 3 or np.ptp(vectors, axis=0).max() == 0:
        return np.stack([np.arange(n, dtype=np.float32), np.zeros(n, np.float32)], axis=1)
    with threadpool_limits(1):  # sums of several threads come out differently from run to run
        if n < _FEWEST:
            return np.asarray(PCA(2, random_state=_SEED).fit_transform(vectors), np.float32)
        network = TSNE(perplexity=min(_PERPLEXITY, (n - 1) / 3), init="pca", random_state=_SEED)
        return np.asarray(network.fit_transform(vectors), np.float32)


def _spacing(positions: FloatArray) -> float:
    """Return about how far apart neighbours lie, if all were spread evenly."""
    return float(np.sqrt(np.prod(np.ptp(positions, axis=0)) / max(1, len(positions))))


def _scaled(positions: FloatArray) -> FloatArray:
    """Move and shrink positions into -1 to 1, their shape kept."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    side = float((high - low).max()) or 1.0
    scaled: FloatArray = ((positions - (low + high) / 2) * (2 / side)).astype(np.float32)
    return scaled
