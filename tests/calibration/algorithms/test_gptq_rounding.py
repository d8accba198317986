from __future__ import annotations

import numpy as np
import pytest

from edgeau_calibration.algorithms.gptq_rounding import rounded_with_feedback

LIMIT = 7


@pytest.mark.parametrize(("groups", "outputs", "inputs"), [(1, 6, 90), (12, 1, 9)])
def test_outputs_are_nearer_than_with_plain_rounding(groups: int, outputs: int, inputs: int) -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(groups, inputs, inputs))
    values = mixing @ rng.normal(size=(groups, inputs, 2000))  # correlated, as channels of a network are
    weights = rng.normal(size=(groups, outputs, inputs))
    scale = np.abs(weights).max(axis=2) / LIMIT
    moments = values @ values.transpose(0, 2, 1) / 2000 + 1e-3 * np.eye(inputs)
    integers = rounded_with_feedback(weights.copy(), moments, scale, LIMIT)
    plain = np.clip(np.round(weights / scale[..., None]), -LIMIT, LIMIT)

    def error(candidate: np.ndarray) -> float:
        return float((((weights - candidate * scale[..., None]) @ values) ** 2).mean())

    assert np.abs(integers).max() <= LIMIT
    assert error(integers.astype(float)) < 0.6 * error(plain)


def test_inputs_that_do_not_depend_on_each_other_are_rounded_to_the_nearest() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(1, 4, 70))
    scale = np.abs(weights).max(axis=2) / LIMIT
    integers = rounded_with_feedback(weights.copy(), np.eye(70)[None], scale, LIMIT)
    np.testing.assert_array_equal(integers, np.round(weights / scale[..., None]))
