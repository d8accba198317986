import warnings

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from edgeau.errors import InputError
from edgeau_training.evaluation.folds import folds_document, over_folds
from edgeau_training.evaluation.metrics import abaw_score, emotionet_score
from edgeau_training.evaluation.predictions import Predictions


def predictions(decided, truth, labels=("AU1", "AU2")):
    logits = np.where(np.array(decided), 1.0, -1.0).astype(np.float32)
    return Predictions(labels, logits, np.array(truth, np.int8), np.full(len(labels), 0.5))


# AU1: fold 1 has TP 1 FP 1, fold 2 has TP 2 FN 2; AU2: fold 1 TP 1, fold 2 one known entry, a true negative.
FOLDS = [
    predictions([[1, 1], [1, 0]], [[1, 1], [0, 0]]),
    predictions([[1, 0], [1, 1], [0, 1], [0, 1]], [[1, 0], [1, -1], [1, -1], [1, -1]]),
]


def test_mean_over_folds_and_pooled_counts_are_both_there_and_differ():
    with pytest.warns(UndefinedMetricWarning, match="fold 2: F1 of AU2 is set to 0"):
        metrics = over_folds(FOLDS)
    assert metrics.folds[0].f1.tolist() == pytest.approx([2 / 3, 1])
    assert metrics.mean.f1.tolist() == pytest.approx([2 / 3, 0.5])
    assert metrics.pooled.f1.tolist() == pytest.approx([6 / (6 + 1 + 2), 1])
    assert metrics.pooled.accuracy.tolist() == pytest.approx([3 / 6, 1])


def test_a_fold_in_which_auc_is_not_defined_is_left_out_of_its_mean():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        metrics = over_folds(FOLDS)
    assert np.isnan(metrics.folds[1].auc).all()
    assert metrics.mean.auc.tolist() == metrics.folds[0].auc.tolist() == [0.5, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        assert np.isnan(over_folds(FOLDS[1:]).mean.auc).all()


def test_each_fold_is_decided_at_its_own_thresholds():
    raised = FOLDS[0].with_thresholds(np.array([0.9, 0.9]))
    with pytest.warns(UndefinedMetricWarning):
        metrics = over_folds([raised, FOLDS[1]])
    assert metrics.pooled.f1[0] == pytest.approx(4 / (4 + 0 + 3))


def test_an_au_that_nobody_labelled_does_not_lower_the_mean():
    unlabelled = [predictions([[1, 0], [0, 1]], [[1, -1], [0, -1]]) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", UndefinedMetricWarning
        )  # there is nothing that F1 would be set to 0 for
        metrics = over_folds(unlabelled)
        document = folds_document(("1", "2"), unlabelled, "half")
    assert np.isnan([metrics.mean.f1[1], metrics.pooled.f1[1], metrics.folds[0].f1[1]]).all()
    assert document["mean"]["f1"] == document["pooled"]["f1"] == 1
    assert document["mean"]["per_au"]["AU2"] == {"f1": None, "accuracy": None, "auc": None}


def test_folds_of_different_labels_are_refused():
    with pytest.raises(InputError, match="all for the same labels"):
        over_folds([FOLDS[0], predictions([[1, 1]], [[1, 1]], ("AU1", "AU4"))])
    with pytest.raises(InputError, match="one fold or more"):
        over_folds([])


def test_challenge_scores():
    # AU1: accuracy .5, F1 2/3; AU2: accuracy 1, F1 1.
    assert emotionet_score(FOLDS[0]) == pytest.approx(((0.5 + 1) / 2 + (2 / 3 + 1) / 2) / 2)
    assert abaw_score(FOLDS[0]) == pytest.approx((2 / 3 + 1) / 2)
