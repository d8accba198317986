from __future__ import annotations

import numpy as np

from edgeau_calibration.evaluation.scores import f1_scores, fitted_thresholds


def test_f1_by_hand_and_nan_without_positives() -> None:
    decisions = np.array([[1, 1], [1, 0], [0, 0], [1, 0]], bool)
    present = np.array([[1, 0], [0, 0], [1, 0], [1, 0]], bool)
    scores = f1_scores(decisions, present)
    assert scores[0] == 2 * 2 / (3 + 3)
    assert np.isnan(scores[1])


def test_the_fitted_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(0)
    present = rng.random((400, 3)) < 0.3
    probabilities = np.clip(rng.normal(0.4 + 0.2 * present, 0.15), 0.01, 0.99).astype(np.float32)
    fitted = fitted_thresholds(probabilities, present, np.full(3, 0.5, np.float32))
    reached = f1_scores(probabilities >= fitted, present)
    for threshold in np.unique(probabilities):
        assert (f1_scores(probabilities >= threshold, present) <= reached + 1e-12).all()


def test_a_column_with_hardly_any_positive_keeps_its_threshold() -> None:
    present = np.zeros((50, 1), bool)
    present[:4] = True
    fitted = fitted_thresholds(np.full((50, 1), 0.9, np.float32), present, np.array([0.7], np.float32))
    assert fitted[0] == np.float32(0.7)
