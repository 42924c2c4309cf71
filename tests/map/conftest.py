"""Vectors as an encoder gives them, in islands."""

import numpy as np
import pytest


def islands(n: int, n_islands: int = 6, dim: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors (n, dim) around a few centres, and the island of each."""
    rng = np.random.default_rng(seed)
    island = rng.integers(n_islands, size=n)
    vectors = rng.normal(size=(n_islands, dim))[island] + 0.35 * rng.normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), island


@pytest.fixture(scope="session")
def many() -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (400, 16) and the island of each."""
    return islands(400)
