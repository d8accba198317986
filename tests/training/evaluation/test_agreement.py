import numpy as np
import pytest

from edgeau_training.evaluation.agreement import icc_3_1, intensity_agreement, pearson

# Six targets by four raters: the worked example of Shrout and Fleiss (1979), whose ICC(3,1) is printed as .71.
RATINGS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def test_the_worked_example_of_shrout_and_fleiss():
    assert icc_3_1(RATINGS) == pytest.approx(0.7148, abs=5e-5)


def test_consistency_ignores_a_constant_offset_and_not_a_scale():
    coded = np.array([0, 1, 2, 3, 4, 5.0])
    assert icc_3_1(np.column_stack((coded, coded + 3))) == pytest.approx(1)
    assert icc_3_1(np.column_stack((coded, 5 - coded))) == pytest.approx(-1)
    assert icc_3_1(np.column_stack((coded, 2 * coded))) == pytest.approx(0.8)  # 2 * 1 * 2 / (1 + 4)
    assert pearson(coded, 2 * coded) == pytest.approx(1)


def test_what_is_not_defined_is_nan():
    still = np.full(5, 2.0)
    assert np.isnan(pearson(still, np.arange(5.0)))
    assert np.isnan(pearson(np.arange(5.0), still))
    assert np.isnan(pearson(np.ones(1), np.ones(1)))
    assert np.isnan(icc_3_1(np.column_stack((still, still))))
    assert np.isnan(icc_3_1(np.ones((1, 2))))
    assert icc_3_1(np.column_stack((still, np.arange(5.0)))) == pytest.approx(0)  # a coder who never moves


def test_only_known_entries_count():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 6, (200, 2)).astype(float)
    predicted = truth + rng.normal(0, 1, truth.shape)
    known = rng.random(truth.shape) < 0.8
    predicted[~known] = 1e6
    correlation, consistency = intensity_agreement(truth, predicted, known)
    assert ((correlation > 0.8) & (consistency > 0.8) & (consistency <= correlation)).all()
    known[:, 1] = False
    assert np.isnan(intensity_agreement(truth, predicted, known)[1][1])
