import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from edgeau.errors import InputError
from edgeau.metrics import macro_mean
from edgeau_training.evaluation.metrics import fit_thresholds, flat_shifts, matched_thresholds, measure
from edgeau_training.evaluation.predictions import Predictions


def predictions(logits, truth, thresholds=None, groups=None):
    logits = np.asarray(logits, np.float32)
    labels = tuple(f"AU{number}" for number in (1, 2, 4, 5, 6, 7)[: logits.shape[1]])
    thresholds = np.full(len(labels), 0.5) if thresholds is None else np.asarray(thresholds)
    return Predictions(labels, logits, np.asarray(truth, np.int8), thresholds, groups)


def random_predictions(seed=0, faces=200):
    generator = np.random.default_rng(seed)
    truth = (generator.random((faces, 4)) < 0.3).astype(np.int8)
    logits = generator.normal(0, 1.5, truth.shape) + truth
    truth[generator.random(truth.shape) < 0.2] = -1
    return predictions(np.round(logits, 1), truth, [0.5, 0.4, 0.6, 0.5])  # rounding makes ties


def test_f1_and_accuracy_equal_those_of_scikit_learn_on_the_labelled_entries():
    made = random_predictions()
    measured = measure(made)
    for column in range(4):
        known = made.truth[:, column] >= 0
        truth, decided = made.truth[known, column], made.decisions[known, column]
        assert measured.f1[column] == pytest.approx(f1_score(truth, decided))
        assert measured.accuracy[column] == pytest.approx(accuracy_score(truth, decided))


def test_auc_counts_pairs_and_gives_ties_a_half():
    made = random_predictions(1)
    for column, auc in enumerate(measure(made).auc):
        scores, truth = made.logits[:, column], made.truth[:, column]
        above = scores[truth == 1][:, None] - scores[truth == 0][None, :]
        assert auc == pytest.approx(((above > 0) + 0.5 * (above == 0)).mean())


def test_an_entry_that_nobody_labelled_changes_nothing():
    labelled = measure(predictions([[2.0], [-2.0], [1.0]], [[1], [0], [0]]))
    with_unknown = measure(predictions([[2.0], [-2.0], [1.0], [9.0]], [[1], [0], [0], [-1]]))
    assert with_unknown.f1 == labelled.f1 == pytest.approx(2 / 3)
    assert with_unknown.labelled[0] == 3


def test_a_probability_equal_to_the_threshold_is_positive():
    assert predictions([[0.0]], [[1]]).decisions[0, 0]


def test_an_au_without_positives_has_no_f1_and_does_not_pull_the_mean_down():
    measured = measure(predictions([[1.0, 1.0], [-1.0, -1.0]], [[1, 0], [0, 0]]))
    assert np.isnan(measured.f1[1])
    assert np.isnan(measured.auc[1])
    assert macro_mean(measured.f1) == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_refused(bad):
    with pytest.raises(InputError, match="not finite"):
        predictions([[bad]], [[1]])


def test_selecting_a_label_that_is_not_there_names_those_that_are():
    with pytest.raises(InputError, match="AU99; there are AU1"):
        predictions([[0.0]], [[1]]).select(["AU99"])


def test_large_logits_do_not_overflow():
    with np.errstate(over="raise"):
        assert predictions([[1e4], [-1e4]], [[1], [0]]).probabilities.tolist() == [[1.0], [0.0]]


def test_too_few_positives_fall_back_to_one_half():
    logits = np.linspace(-3, 3, 20, dtype=np.float32)[:, None]
    truth = np.zeros((20, 1), np.int8)
    truth[-4:] = 1
    made = Predictions(("AU1",), logits, truth, np.array([0.5]))
    assert fit_thresholds(made).tolist() == [0.5]
    truth[-5] = 1
    assert fit_thresholds(made)[0] == pytest.approx(made.probabilities[-5, 0])


def test_a_threshold_may_move_as_far_as_f1_stays():
    made = predictions([[3.0], [2.0], [1.0], [-1.0], [-2.0]], [[1], [1], [1], [0], [0]], [0.5])
    assert flat_shifts(made, 0.0)[0] == pytest.approx([0.0, 1.0])
    assert flat_shifts(made, 0.21)[0] == pytest.approx(
        [-1.0, 2.0]
    )  # one false alarm: F1 .86; two of three found: .8


def test_a_threshold_beside_which_f1_falls_does_not_move():
    made = predictions([[0.0], [0.0], [-1.0]], [[1], [1], [0]], [0.5])
    assert flat_shifts(made, 0.01)[0] == pytest.approx([0.0, 0.0])


def test_matched_thresholds_call_as_many_faces():
    reference = random_predictions()
    other = predictions(0.3 * reference.logits + 2, reference.truth)
    matched = matched_thresholds(reference, other)
    np.testing.assert_array_equal(other.with_thresholds(matched).decisions, reference.decisions)


@pytest.mark.parametrize(("threshold", "called"), [(0.9999, 0), (0.0001, 3)])
def test_matched_thresholds_of_all_faces_and_of_none(threshold, called):
    reference = predictions([[1.0], [0.0], [-1.0]], [[1], [1], [0]], [threshold])
    other = predictions([[5.0], [4.0], [3.0]], [[1], [1], [0]])
    assert other.with_thresholds(matched_thresholds(reference, other)).decisions.sum() == called
