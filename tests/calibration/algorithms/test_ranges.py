from __future__ import annotations

import numpy as np
import pytest

from edgeau.errors import CalibrationError
from edgeau_calibration.algorithms.activations import Activation
from edgeau_calibration.algorithms.ranges import METHODS, chosen_range


def activation(*crops: np.ndarray) -> Activation:
    found = Activation()
    for crop in crops:
        found.add(crop.astype(np.float32))
    return found


@pytest.fixture
def long_tailed() -> Activation:
    """Twenty crops of values around 1, each with one value of 40."""
    rng = np.random.default_rng(0)
    return activation(*(np.append(rng.normal(1, 1, 2000), 40.0) for _ in range(20)))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_range_holds_zero_and_no_more_than_was_seen(method: str, long_tailed: Activation) -> None:
    low, high = chosen_range(method, long_tailed, symmetric=False)
    assert long_tailed.low <= low <= 0 <= high <= long_tailed.high + 1e-6
    low, high = chosen_range(method, long_tailed, symmetric=True)
    assert low == -high


def test_clipping_methods_give_up_the_tail_and_the_others_do_not(long_tailed: Activation) -> None:
    highs = {method: chosen_range(method, long_tailed, symmetric=False)[1] for method in METHODS}
    assert highs["minmax"] == highs["moving-average"] == 40
    assert highs["entropy"] < 40
    rng = np.random.default_rng(0)
    laplace = activation(*(rng.laplace(0, 1, 2000) for _ in range(50)))
    assert chosen_range("mse", laplace, symmetric=False)[1] < 0.9 * laplace.high
    assert chosen_range("percentile", laplace, symmetric=False)[1] < 0.95 * laplace.high


def test_one_broken_crop_does_not_widen_the_range() -> None:
    rng = np.random.default_rng(0)
    good = [rng.uniform(-1, 1, 2000) for _ in range(20)]
    wide = chosen_range("mse", activation(*good, rng.uniform(-50, 50, 2000)), symmetric=False)
    assert max(np.abs(wide)) <= 1.001
    assert chosen_range("minmax", activation(*good, rng.uniform(-50, 50, 2000)), symmetric=False)[1] > 49


def test_far_below_zero_costs_no_levels_in_front_of_a_silu() -> None:
    rng = np.random.default_rng(0)
    crops = activation(*(rng.uniform(-20, 4, 2000) for _ in range(10)))
    plain, through = (chosen_range("mse", crops, symmetric=False, silu=silu)[0] for silu in (False, True))
    assert plain < -18
    assert through > -12


def test_an_unknown_method_lists_the_known_ones(long_tailed: Activation) -> None:
    with pytest.raises(CalibrationError, match="minmax, moving-average, percentile, entropy, mse"):
        chosen_range("guess", long_tailed, symmetric=False)
