from __future__ import annotations

import numpy as np

from edgeau_export.converters.parity import difference

HALF = np.full(2, 0.5, np.float32)


def test_differences_and_flips_of_decisions() -> None:
    reference = np.array([[1.0, -1.0], [0.25, -0.25]], np.float32)
    answer = np.array([[1.0, -2.0], [-0.25, -0.25]], np.float32)
    measured = difference(reference, answer, HALF)
    assert (measured.max_abs, measured.mean_abs, measured.flips, measured.count) == (1.0, 0.375, 0.25, 2)


def test_decisions_are_those_of_the_thresholds() -> None:
    # sigmoid(0) = 0.5 is below 0.6, sigmoid(1) = 0.73 is not.
    measured = difference(
        np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32), np.array([0.6, 0.9], np.float32)
    )
    assert measured.flips == 0.5


def test_an_answer_that_is_not_finite_is_infinitely_far() -> None:
    measured = difference(np.zeros((1, 2), np.float32), np.array([[0, np.nan]], np.float32), HALF)
    assert measured.max_abs == np.inf
