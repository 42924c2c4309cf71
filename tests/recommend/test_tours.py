"""Orders of least cost: exact where they are few, close to it and never improvable by one move where they are many."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.recommend import tours
from musrecd.recommend.tours import shortest_order


def random_costs(n: int, seed: int) -> np.ndarray:
    """Distances in four dimensions, a little dearer one way than the other."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, 4))
    return np.linalg.norm(points[:, None] - points, axis=2) + 0.3 * rng.random((n, n))


def total(cost: np.ndarray, order: list[int]) -> float:
    return float(sum(cost[a, b] for a, b in pairwise(order)))


@settings(max_examples=25)
@given(st.integers(0, 7), st.integers(0, 10_000), st.booleans())
def test_few_places_are_ordered_as_trying_all_orders_would(n, seed, has_start):
    cost = random_costs(n, seed)
    start = seed % n if has_start and n else None
    order = shortest_order(cost, start)
    assert sorted(order) == list(range(n))
    assert start is None or order[0] == start
    allowed = [p for p in permutations(range(n)) if start is None or p[0] == start]
    assert total(cost, order) == pytest.approx(min(total(cost, p) for p in allowed))


def test_nine_are_exact():
    cost = random_costs(9, 1)
    steps = np.array(list(permutations(range(9))))
    best = sum(cost[steps[:, i], steps[:, i + 1]] for i in range(8)).min()
    assert total(cost, shortest_order(cost)) == pytest.approx(best)


@settings(max_examples=25)
@given(st.integers(10, 40), st.integers(0, 10_000), st.booleans())
def test_many_places_come_once_each_and_begin_where_they_shall(n, seed, has_start):
    cost = random_costs(n, seed)
    order = shortest_order(cost, seed % n if has_start else None)
    assert sorted(order) == list(range(n))
    assert not has_start or order[0] == seed % n
    assert order == shortest_order(cost, seed % n if has_start else None)


@settings(max_examples=20)
@given(st.integers(4, 14), st.integers(0, 10_000))
def test_no_single_change_helps_any_more_and_the_gain_is_what_was_foreseen(n, seed):
    """Against trying every turn and every move by the full cost of each order."""
    cost, first = tours._with_ends(random_costs(n, seed), None)
    order = tours._greedy(cost, list(range(n)), first)
    improved = tours._improved(cost, order)
    before, after = total(cost, list(order)), total(cost, list(improved))
    assert after <= before + 1e-9
    neighbours = [
        [*improved[:i], *improved[i : j + 1][::-1], *improved[j + 1 :]]
        for i in range(1, n)
        for j in range(i + 1, n + 1)
    ]
    for i in range(1, n + 1):
        for j in range(i + 1, min(i + 3, n + 1) + 1):
            rest, segment = [*improved[:i], *improved[j:]], improved[i:j]
            for k in range(1, len(rest)):
                neighbours += [[*rest[:k], *segment, *rest[k:]], [*rest[:k], *segment[::-1], *rest[k:]]]
    assert min(total(cost, each) for each in neighbours) >= after - 1e-6


def test_the_improved_order_is_close_to_the_exact_one():
    ratios = []
    for seed in range(40):
        cost, first = tours._with_ends(random_costs(9, seed), None)
        exact = total(cost, tours._exact(cost, list(range(9)), first))
        ratios.append(total(cost, list(tours._improved(cost, tours._greedy(cost, list(range(9)), first)))) / exact)
    assert min(ratios) >= 1 - 1e-9
    assert np.mean(ratios) < 1.02


def test_a_line_is_found_whatever_way_it_was_shuffled():
    place = np.random.default_rng(0).permutation(60)
    order = shortest_order(np.abs(place[:, None] - place).astype(float))
    assert np.abs(np.diff(place[order])).tolist() == [1] * 59
