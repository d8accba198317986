import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from edgeau.errors import UsageError
from edgeau.metrics import (
    OBJECTIVES,
    RankedScores,
    best_threshold,
    bootstrap_weights,
    confusion_counts,
    f1_at_fitted_thresholds,
    f1_scores,
    fitted_thresholds,
    logit,
    macro_mean,
    percentile_interval,
    sigmoid,
)


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


def test_an_entry_that_nobody_labelled_changes_nothing() -> None:
    decisions, present = np.array([[True], [False], [True]]), np.array([[True], [True], [False]])
    known = np.array([[True], [True], [False]])
    assert f1_scores(decisions, present, known) == f1_scores(decisions[:2], present[:2]) == 2 / 3


def test_a_label_that_occurs_only_where_nobody_labelled_has_no_f1() -> None:
    decisions = present = np.array([[True], [False]])
    assert np.isnan(f1_scores(decisions, present, np.array([[False], [True]]))).all()


def test_resampled_f1_is_that_of_the_repeated_faces() -> None:
    rng = np.random.default_rng(0)
    decisions, present, known = (rng.random((60, 3)) < share for share in (0.4, 0.3, 0.8))
    weights = rng.integers(0, 4, (5, 60))
    resampled = f1_scores(decisions, present, known, weights.astype(np.float64))
    for row, times in zip(resampled, weights, strict=True):
        rows = np.repeat(np.arange(60), times)
        assert row == pytest.approx(f1_scores(decisions[rows], present[rows], known[rows]))


def test_accuracy_without_any_label_is_nan() -> None:
    nothing = np.zeros((3, 1), bool)
    assert np.isnan(confusion_counts(nothing, nothing, nothing).accuracy).all()


def test_the_mean_leaves_out_labels_without_a_value() -> None:
    assert macro_mean(np.array([1.0, np.nan, 0.5])) == 0.75
    assert np.isnan(macro_mean(np.array([np.nan])))


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


def test_an_unknown_objective_lists_the_known_ones():
    with pytest.raises(UsageError, match="f1, accuracy-f1"):
        best_threshold(np.array([0.5]), np.array([1]), "f2")


def test_thresholds_leave_out_what_nobody_labelled() -> None:
    rng = np.random.default_rng(0)
    probabilities, present = rng.random((200, 2)).astype(np.float32), rng.random((200, 2)) < 0.3
    known = np.repeat(rng.random((200, 1)) < 0.5, 2, axis=1)
    half, kept = np.full(2, 0.5), known[:, 0]
    assert (
        fitted_thresholds(probabilities, present, half, known)
        == fitted_thresholds(probabilities[kept], present[kept], half)
    ).all()


def test_thresholds_stay_off_zero_and_one() -> None:
    probabilities = np.array([[0.0, 1.0]] * 6, np.float32)
    fitted = fitted_thresholds(probabilities, np.ones((6, 2), bool), np.full(2, 0.5))
    assert fitted.tolist() == [1e-6, 1 - 1e-6]
    assert np.isfinite(logit(fitted.astype(np.float32))).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_auc_is_that_of_scikit_learn_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    present, known = rng.random(300) < 0.3, rng.random(300) < 0.8
    scores = np.round(rng.normal(present, 1.5), 1)
    times = rng.integers(0, 4, 300)
    ranked = RankedScores(scores, present, known)
    assert ranked.auc() == pytest.approx(roc_auc_score(present[known], scores[known]))
    expected = roc_auc_score(present[known], scores[known], sample_weight=times[known])
    assert ranked.auc(times) == pytest.approx(expected)


def test_one_class_or_nothing_labelled_has_no_auc() -> None:
    scores = np.array([0.1, 0.2])
    assert np.isnan(RankedScores(scores, np.array([True, True])).auc())
    assert np.isnan(RankedScores(scores, np.array([True, False]), np.zeros(2, bool)).auc())


def test_persons_are_drawn_as_wholes() -> None:
    groups = np.array([7, 7, 3, 3, 3])
    weights = bootstrap_weights(5, 50, groups)
    assert weights.shape == (50, 5)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 2:] == weights[:, 2:3]).all()
    assert (weights[:, 0] + weights[:, 2] == 2).all()
    assert (weights == bootstrap_weights(5, 50, groups)).all()
    assert (weights != bootstrap_weights(5, 50, groups, seed=1)).any()


def test_an_interval_leaves_out_resamples_without_a_value() -> None:
    values = np.array([[0.0, np.nan], [np.nan, np.nan], [1.0, np.nan]])
    ends = percentile_interval(values, 0.5)
    assert ends[0].tolist() == [0.25, 0.75]
    assert np.isnan(ends[1]).all()
    assert percentile_interval(values[:, 0], 0.5).tolist() == [0.25, 0.75]


def test_the_logit_inverts_the_sigmoid() -> None:
    logits = np.linspace(-6, 6, 25, dtype=np.float32)
    assert logit(sigmoid(logits)) == pytest.approx(logits, abs=1e-4)


def test_f1_at_fitted_thresholds_is_that_of_the_two_steps() -> None:
    generator = np.random.default_rng(5)
    present = generator.random((80, 3)) < np.array([0.4, 0.2, 0.01])
    probabilities = (generator.random((80, 3)) * 0.6 + 0.4 * present).astype(np.float32)
    otherwise = np.array([0.5, 0.5, 0.25], np.float32)
    thresholds, f1 = f1_at_fitted_thresholds(probabilities, present, otherwise)
    assert (thresholds == fitted_thresholds(probabilities, present, otherwise).astype(np.float32)).all()
    assert thresholds[2] == np.float32(0.25), "too few positives keep the threshold that was there"
    np.testing.assert_array_equal(f1, f1_scores(probabilities >= thresholds, present))
