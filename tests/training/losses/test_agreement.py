"""The disagreement of two views: 0 where they agree, a ratio that scale does not change, and pairs that are pairs."""

import pytest
import torch

from edgeau_training.losses.agreement import disagreement

FIRST = torch.tensor([[2.0, -1.0], [0.0, 1.0], [-2.0, 0.0]])


def test_equal_views_do_not_disagree():
    assert disagreement(FIRST, FIRST.clone()) == 0


def test_it_is_the_variance_within_pairs_over_that_between_faces():
    second = FIRST + torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    # Halves of the mean squared differences, over the variances of the pairs' means: (1/6 + 1/6) / (3.0833 + 0.5833).
    means = (FIRST + second) / 2
    expected = (1 / 6 + 1 / 6) / (means.var(0).sum() + 1e-6)
    torch.testing.assert_close(disagreement(FIRST, second), expected)


@pytest.mark.parametrize("scale", [0.1, 3.0, -20.0])
def test_larger_or_more_timid_answers_disagree_as_much(scale):
    second = FIRST.flip(1)
    assert disagreement(scale * FIRST, scale * second) == pytest.approx(
        float(disagreement(FIRST, second)), rel=1e-3
    )


def test_views_of_other_faces_disagree_more():
    near = FIRST + 0.1
    assert disagreement(FIRST, near.roll(1, 0)) > 10 * disagreement(FIRST, near)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_faces_that_all_look_alike_give_a_finite_gradient(dtype):
    first = torch.ones(4, 2, dtype=dtype, requires_grad=True)
    second = torch.ones(4, 2, dtype=dtype)
    value = disagreement(first, second)
    value.backward()
    assert value == 0
    assert first.grad.isfinite().all()
