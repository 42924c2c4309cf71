"""Cosines, of arrays in memory and of files that are mapped."""

import mmap
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.recommend import similarity
from musrecd.recommend.similarity import cosines, mean_direction

ROUNDING = 1e-6


def unit_vectors(n: int, dim: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def mapped(path, vectors, access=mmap.ACCESS_READ, begin=512) -> np.ndarray:
    path.write_bytes(bytes(begin) + vectors.tobytes())
    with path.open("r+b") as file:
        content = mmap.mmap(file.fileno(), 0, access=access)
    return np.frombuffer(content, np.float32, offset=begin).reshape(vectors.shape)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(similarity, "_BLOCK_BYTES", 3 * 4096)
    monkeypatch.setattr(similarity, "_LARGE_BYTES", 0)


@given(st.integers(0, 1500), st.integers(2, 40), st.integers(0, 10_000))
@settings(deadline=None)
def test_cosines_are_those_in_double_precision(n, dim, seed):
    vectors, query = unit_vectors(n, dim, seed), unit_vectors(1, dim, seed + 1)[0]
    exact = vectors.astype(np.float64) @ query.astype(np.float64)
    np.testing.assert_allclose(cosines(vectors, query), exact, atol=ROUNDING)


@pytest.mark.parametrize("access", [mmap.ACCESS_READ, mmap.ACCESS_COPY], ids=["read", "copy"])
@pytest.mark.parametrize("begin", [0, 512, 4096])
def test_a_mapped_file_may_be_asked_again(tmp_path, small_blocks, access, begin):
    vectors = unit_vectors(5_000, 16, 3)
    array = mapped(tmp_path / "vectors", vectors, access, begin)
    for query in vectors[:3]:
        np.testing.assert_array_equal(cosines(array, query), cosines(vectors, query))
    np.testing.assert_array_equal(array, vectors)


def test_what_was_put_right_in_memory_alone_is_kept(tmp_path, small_blocks):
    vectors = unit_vectors(5_000, 16, 3)
    array = mapped(tmp_path / "vectors", vectors, mmap.ACCESS_COPY)
    array[4_000] = vectors[1]
    assert cosines(array, vectors[1])[4_000] == pytest.approx(1.0)
    np.testing.assert_array_equal(array[4_000], vectors[1])


def test_a_large_file_takes_little_memory(tmp_path):
    """In a process of its own: how much memory one had at most only ever grows."""
    n_rows, dim = 400_000, 128
    path = tmp_path / "vectors"
    with path.open("wb") as file:
        file.truncate(n_rows * dim * 4)
    code = (
        "import mmap, resource, sys, numpy as np\n"
        "from musrecd.recommend.similarity import cosines\n"
        "file = open(sys.argv[1], 'rb')\n"
        "array = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.float32).reshape(-1, 128)\n"
        "cosines(array[:100], array[0])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "cosines(array, array[0])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    used = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True).stdout
    # In kilobytes.
    assert int(used) < 64 * 1024, "the file has 200 MB"


def test_scores_never_leave_the_range_of_a_cosine():
    vectors = np.float32(1.00001) * np.concatenate([np.eye(8), -np.eye(8)]).astype(np.float32)
    scores = cosines(vectors, vectors[0])
    assert (scores.max(), scores.min()) == (1.0, -1.0)


def test_an_empty_matrix_has_no_answers():
    assert cosines(np.empty((0, 8), np.float32), np.ones(8, np.float32)).shape == (0,)


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(2, 40), st.integers(0, 1000))
def test_the_middle_of_several_seeds_is_a_unit_vector_between_them(n, dim, seed):
    seeds = unit_vectors(n, dim, seed)
    middle = mean_direction(seeds)
    assert middle.dtype == np.float32
    assert np.linalg.norm(middle) == pytest.approx(1, abs=1e-5)
    expected = seeds.astype(np.float64).sum(0)
    if np.linalg.norm(expected) > 1e-3:
        np.testing.assert_allclose(middle, expected / np.linalg.norm(expected), atol=1e-5)


def test_the_middle_of_one_seed_is_that_seed():
    seed = unit_vectors(1, 16, 3)
    np.testing.assert_allclose(mean_direction(seed), seed[0], atol=1e-6)


def test_opposite_seeds_have_no_middle_and_the_first_counts():
    vector = unit_vectors(1, 16, 3)[0]
    np.testing.assert_array_equal(mean_direction(np.stack([vector, -vector])), vector)
