import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.postprocessing.ensembles import average_logits, average_probabilities, majority_vote


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
