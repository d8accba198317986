import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.postprocessing.ensembles import (
    average_logits,
    average_probabilities,
    ensemble_of,
    majority_vote,
)


def test_one_sigmoid_of_averaged_logits_and_one_of_each_differ():
    face, emotion = np.array([[4.0, -2.0]]), np.array([[-1.0, -2.0]])
    assert average_logits([face, emotion]).tolist() == [[1.5, -2.0]]
    expected = [[(0.98201379 + 0.26894142) / 2, 0.11920292]]
    np.testing.assert_allclose(average_probabilities([face, emotion]), expected, rtol=1e-6)


def test_average_probabilities_use_the_whole_range():
    assert average_probabilities([np.full((1, 1), -30.0)] * 3)[0, 0] < 1e-9  # a second sigmoid would give .5


@pytest.mark.parametrize(
    ("votes", "present"),
    [
        ((1, 1, 1, 0, 0), True),
        ((1, 1, 0, 0, 0), False),
        ((1, 1, 0, 0), False),
        ((1, 1, 1, 0), True),
        ((1,), True),
    ],
)
def test_a_majority_is_more_than_half(votes, present):
    assert majority_vote([np.array([[bool(vote)]]) for vote in votes])[0, 0] == present


def test_models_must_answer_alike():
    with pytest.raises(InputError, match=r"one shape from one model or more, got \[\(1, 2\), \(2, 2\)\]"):
        average_logits([np.zeros((1, 2)), np.zeros((2, 2))])
    with pytest.raises(InputError, match="got none"):
        majority_vote([])


def test_an_ensemble_decides_as_its_rule_says():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, (40, 2)).astype(np.int8)
    for count in (1, 2, 3, 4, 5):
        members = [
            Predictions(
                ("AU1", "AU4"), random.normal(0, 2, (40, 2)).astype(np.float32), truth, np.array([0.4, 0.7])
            )
            for _ in range(count)
        ]
        votes = ensemble_of(members, "vote")
        np.testing.assert_array_equal(votes.decisions, majority_vote([one.decisions for one in members]))
        logits = ensemble_of(members, "logits")
        np.testing.assert_allclose(
            logits.logits, average_logits([one.logits for one in members]), rtol=1e-6, atol=1e-6
        )
        mean = ensemble_of(members, "probabilities")
        expected = average_probabilities([one.logits for one in members])
        np.testing.assert_allclose(mean.probabilities, expected, atol=1e-6)
        np.testing.assert_allclose(mean.thresholds, [0.4, 0.7])


def test_an_ensemble_is_over_the_labels_that_all_have():
    one = Predictions(
        ("AU1", "AU4"), np.zeros((3, 2), np.float32), np.zeros((3, 2), np.int8), np.full(2, 0.5)
    )
    other = one.select(["AU4"])
    assert ensemble_of([one, other], "logits").labels == ("AU4",)
    with pytest.raises(InputError, match="share a label"):
        ensemble_of([one.select(["AU1"]), other], "logits")
    with pytest.raises(UsageError, match="'mode' is not known"):
        ensemble_of([one, other], "mode")
