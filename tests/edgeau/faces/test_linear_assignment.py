from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest

from edgeau.faces.linear_assignment import linear_assignment


def cheapest_by_trying(costs: np.ndarray, limit: float) -> float:
    rows, columns = costs.shape
    best = limit * rows
    for count in range(1, min(rows, columns) + 1):
        for chosen in combinations(range(rows), count):
            for places in permutations(range(columns), count):
                paired = sum(costs[row, column] for row, column in zip(chosen, places, strict=True))
                best = min(best, paired + limit * (rows - count))
    return best


@pytest.mark.parametrize("seed", range(40))
def test_no_other_pairing_is_cheaper(seed: int) -> None:
    random = np.random.default_rng(seed)
    costs = random.random(random.integers(1, 5, 2)) * 2
    costs[random.random(costs.shape) < 0.2] = math.inf
    limit = float(random.uniform(0.1, 2))
    pairs = linear_assignment(costs.tolist(), limit)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    total = sum(costs[pair] for pair in pairs) + limit * (len(costs) - len(pairs))
    assert total == pytest.approx(cheapest_by_trying(costs, limit))


def test_the_nearest_pair_is_not_taken_when_it_spoils_the_rest() -> None:
    assert linear_assignment([[1.0, 2.0], [2.0, 100.0]], 1000) == [(0, 1), (1, 0)]


def test_what_cannot_be_is_left_alone() -> None:
    assert linear_assignment([[math.inf, math.inf], [math.inf, 0.5]], 1.0) == [(1, 1)]
    assert linear_assignment([[1.5]], 1.0) == []
    assert linear_assignment([], 1.0) == []
    assert linear_assignment([[], []], 1.0) == []
