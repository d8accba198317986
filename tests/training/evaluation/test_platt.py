import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from edgeau_training.evaluation.platt import fit_line


def test_it_is_logistic_regression():
    random = np.random.default_rng(0)
    truth = (random.random(20000) < 0.3).astype(int)
    scores = 40 + 7 * (random.normal(0, 1, truth.shape) + 2 * truth)
    line = fit_line(scores, truth)
    reference = LogisticRegression(C=1e9, max_iter=1000).fit(scores[:, None] - 40, truth)
    assert line.slope == pytest.approx(reference.coef_[0, 0], rel=0.01)
    assert line.slope * 40 + line.shift == pytest.approx(reference.intercept_[0], abs=0.03)


def test_separable_scores_give_finite_logits():
    line = fit_line(np.array([-1.0, -0.9, 0.9, 1.0]), np.array([0, 0, 1, 1]))
    assert np.isfinite([line.slope, line.shift]).all()


def test_the_slope_stays_positive_for_a_score_that_points_the_wrong_way():
    assert fit_line(np.array([-1.0, -0.9, 0.9, 1.0]), np.array([1, 1, 0, 0])).slope > 0


def test_a_constant_score_gives_the_rate():
    line = fit_line(np.full(1000, 3.0), (np.arange(1000) < 300).astype(int))
    assert 1 / (1 + np.exp(-(3 * line.slope + line.shift))) == pytest.approx(0.3, abs=0.01)
