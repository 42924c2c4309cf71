"""The parts that are told to be close are those that a plain search of all pairs finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musrecd.recommend.asking import Closest
from musrecd.recommend.closest import closest, closest_line
from musrecd.types import Chunks


def chunks(vectors: np.ndarray, begin: float = 0.0) -> Chunks:
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    spans_s = [(begin + 10 * i, begin + 10 * i + 10) for i in range(len(units))]
    return Chunks(np.array(spans_s, np.float32).reshape(-1, 2), units.astype(np.float32))


def drawn(dim: int):
    vectors = arrays(np.float32, st.tuples(st.integers(1, 7), st.just(dim)), elements=st.integers(-3, 3))
    return vectors.filter(lambda m: (np.abs(m).max(axis=1) > 0).all()).map(chunks)


@given(result=drawn(4), likes=st.lists(drawn(4) | drawn(5), max_size=4))
def test_the_closest_pair_is_the_one_a_plain_search_finds(result, likes):
    named = [(f"track {i}", like) for i, like in enumerate(likes)]
    best, pairs = -2.0, {}
    for name, like in named:
        if like.directions.shape[1] != 4:
            continue
        for i, one in enumerate(result.directions):
            for j, other in enumerate(like.directions):
                cosine = sum(float(a) * float(b) for a, b in zip(one, other, strict=True))
                pairs[(10.0 * i, 10.0 * i + 10), (10.0 * j, 10.0 * j + 10), name] = cosine
                best = max(best, cosine)
    found = closest(result, named)
    if not pairs:
        assert found is None
    else:
        assert found.sound == pytest.approx(best, abs=1e-5)
        assert pairs[found.span_s, found.seed_span_s, found.seed] == pytest.approx(best, abs=1e-5)


def test_of_equal_ones_the_first_is_told():
    same = chunks(np.ones((3, 4), np.float32))
    assert closest(same, [("a", same), ("b", same)]) == Closest((0, 10), (0, 10), pytest.approx(1), "a")


def test_without_chunks_of_the_same_dimension_nothing_is_close():
    result = chunks(np.ones((2, 4), np.float32))
    nothing = Chunks(np.empty((0, 2), np.float32), np.empty((0, 4), np.float32))
    assert closest(result, []) is None
    assert closest(result, [("", chunks(np.ones((2, 5), np.float32)))]) is None
    assert closest(result, [("", nothing)]) is None
    assert closest(nothing, [("", result)]) is None


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        (Closest((90, 119.4), (0, 29), 0.914), "closest: its 1:30–1:59 to 0:00–0:29 of this, 91 % alike"),
        (Closest((3600, 3610), (0, 2.2), -0.3), "closest: its 1:00:00–1:00:10 to 0:00–0:02 of this, 0 % alike"),
        (Closest((0, 10), (5, 15), 1, "Teardrop"), "closest: its 0:00–0:10 to 0:05–0:15 of Teardrop, 100 % alike"),
    ],
)
def test_in_words(pair, line):
    assert closest_line(pair, "this") == line
