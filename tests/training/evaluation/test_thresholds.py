import numpy as np
import pytest

from edgeau.errors import UsageError
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.thresholds import OBJECTIVES, best_threshold, fit_thresholds


def brute_force(probabilities, truth, objective):
    """Scan from the highest candidate and keep the first maximum."""
    best = (None, -1.0)
    for threshold in sorted(set(probabilities), reverse=True):
        decided = probabilities >= threshold
        tp = float((decided & (truth == 1)).sum())
        fp = float((decided & (truth == 0)).sum())
        value = OBJECTIVES[objective](tp, fp, int(truth.sum()), len(truth))
        if value > best[1]:
            best = (threshold, value)
    return best


def test_the_worked_example_of_the_emotionet_search():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.4, 0.3, 0.2, 0.15, 0.1])
    truth = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0])
    threshold, value = best_threshold(scores, truth, "accuracy-f1")
    assert (threshold, value) == (pytest.approx(0.6), pytest.approx(0.775))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", range(5))
def test_the_fast_search_finds_what_a_scan_finds_with_ties(objective, seed):
    generator = np.random.default_rng(seed)
    scores = np.round(generator.random(80), 1)
    truth = (generator.random(80) < 0.3).astype(int)
    assert best_threshold(scores, truth, objective) == pytest.approx(brute_force(scores, truth, objective))


def test_the_roc_rule_is_the_point_farthest_above_chance():
    from sklearn.metrics import roc_curve

    generator = np.random.default_rng(0)
    truth = (generator.random(300) < 0.2).astype(int)
    scores = generator.normal(truth, 1.0)
    false_rates, true_rates, thresholds = roc_curve(truth, scores)
    at = np.argmax(true_rates - false_rates)
    expected = (thresholds[at], true_rates[at] - false_rates[at])
    assert best_threshold(scores, truth, "roc") == pytest.approx(expected)


def test_of_equal_maxima_the_highest_threshold_stays():
    scores, truth = np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])
    # F1 at .9 is 2/3, at .8 is .5, at .7 is .8; accuracy-f1 at .9 and .7 differ, so make an exact tie by hand.
    assert best_threshold(np.array([0.9, 0.5]), np.array([0, 0]), "accuracy-f1")[0] == 0.9
    assert best_threshold(scores, truth, "f1")[0] == 0.7


def test_too_few_positives_fall_back_to_one_half():
    logits = np.linspace(-3, 3, 20, dtype=np.float32)[:, None]
    truth = np.zeros((20, 1), np.int8)
    truth[-4:] = 1
    made = Predictions(("AU1",), logits, truth, np.array([0.5]))
    assert fit_thresholds(made).tolist() == [0.5]
    truth[-5] = 1
    assert fit_thresholds(made)[0] == pytest.approx(made.probabilities[-5, 0])


def test_an_unknown_objective_lists_the_known_ones():
    with pytest.raises(UsageError, match="f1, accuracy-f1"):
        best_threshold(np.array([0.5]), np.array([1]), "f2")
