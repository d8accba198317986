import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.postprocessing.soft_thresholds import break_even_threshold, soft_thresholds

SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.4, 0.3, 0.2, 0.15, 0.1])
TRUTH = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0])


def predictions(scores, truth, labels=("AU1",)):
    """One AU; scores are probabilities."""
    logits = np.log(scores / (1 - scores)).astype(np.float32)[:, None]
    return Predictions(labels, logits, np.asarray(truth, np.int8)[:, None], np.array([0.5]))


def doubled(shift):
    """The worked example twice over, so that it has 8 positives, with its scores moved."""
    return predictions(np.tile(SCORES, 2) + shift, np.tile(TRUTH, 2))


def test_the_thresholds_of_the_folds_are_averaged():
    held_out = [doubled(0.0), doubled(0.05)]  # best at .6 (accuracy .8, F1 .75) and at .65
    assert soft_thresholds(held_out)[0] == pytest.approx(0.625, abs=1e-6)


@pytest.mark.parametrize("rule", ["f1", "accuracy-f1", "break-even"])
def test_answers_that_are_certain_leave_thresholds_that_a_manifest_takes(rule):
    certain = Predictions(
        ("AU1",), np.repeat([[40.0], [-40.0]], 6, 0).astype(np.float32),
        np.repeat([[1], [0]], 6, 0).astype(np.int8), np.array([0.5]),
    )  # fmt: skip
    assert certain.probabilities.max() == 1
    assert 0 < soft_thresholds([certain], rule)[0] < 1


def test_a_fold_with_fewer_than_5_positives_does_not_take_part():
    rare = predictions(SCORES, TRUTH)
    assert soft_thresholds([doubled(0.0), rare])[0] == pytest.approx(0.6, abs=1e-6)
    assert soft_thresholds([rare, rare])[0] == 0.5


def test_unknown_truth_does_not_move_a_threshold():
    scores, truth = np.append(np.tile(SCORES, 2), [0.95, 0.96]), np.append(np.tile(TRUTH, 2), [-1, -1])
    assert soft_thresholds([predictions(scores, truth)])[0] == pytest.approx(0.6, abs=1e-6)


def test_break_even_balances_precision_and_recall():
    # At .6 four are chosen and three of four found: precision and recall are both .75.
    assert break_even_threshold(SCORES, TRUTH) == 0.6
    assert soft_thresholds([doubled(0.0)], "break-even")[0] == pytest.approx(0.6, abs=1e-6)
    # Nothing found at .9 is no balance, though precision and recall are equal there.
    assert break_even_threshold(np.array([0.9, 0.8, 0.1]), np.array([0, 1, 0])) == 0.8


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(UsageError, match="known: f1, accuracy-f1, roc, break-even"):
        soft_thresholds([doubled(0.0)], "best")
    with pytest.raises(InputError, match="all for the same labels"):
        soft_thresholds([doubled(0.0), predictions(SCORES, TRUTH, ("AU2",))])
    with pytest.raises(InputError, match="one fold or more"):
        soft_thresholds([])
