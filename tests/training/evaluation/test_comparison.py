import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.evaluation.comparison import compare
from edgeau_training.evaluation.predictions import Predictions


def make(logits, labels=("AU1", "AU4"), thresholds=(0.5, 0.5), truth=None):
    logits = np.asarray(logits, np.float32)
    truth = np.array([[1, 0], [0, 1]], np.int8) if truth is None else truth
    return Predictions(tuple(labels), logits, truth, np.asarray(thresholds))


def test_flips_and_changes_per_label():
    result = compare(make([[2.0, -2.0], [-2.0, -0.1]]), make([[2.0, -2.0], [-2.0, 0.1]]))
    assert result.flips.tolist() == [0.0, 0.5]
    assert result.largest_change[1] == pytest.approx(2 * (0.5 - 1 / (1 + np.exp(0.1))))
    assert result.f1_drop.tolist() == [0.0, 1.0]


def test_each_model_is_decided_at_its_own_thresholds():
    logits = [[0.2, 0.2], [0.2, 0.2]]
    result = compare(make(logits), make(logits, thresholds=(0.9, 0.5)))
    assert result.flips.tolist() == [1.0, 0.0]
    assert result.largest_change.max() == 0


def test_only_labels_of_both_are_compared():
    other = make([[1.0, 1.0], [1.0, 1.0]], labels=("AU4", "AU9"), truth=np.array([[0, 0], [1, 0]], np.int8))
    assert compare(make([[1.0, 1.0], [1.0, 1.0]]), other).labels == ("AU4",)


def test_other_faces_or_no_common_label_are_refused():
    with pytest.raises(InputError, match="not run on the same faces"):
        compare(make(np.zeros((2, 2))), make(np.zeros((2, 2)), truth=np.ones((2, 2), np.int8)))
    with pytest.raises(InputError, match="share no label"):
        compare(make(np.zeros((2, 2))), make(np.zeros((2, 2)), labels=("AU9", "AU10")))
