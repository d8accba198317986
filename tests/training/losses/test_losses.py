"""What every loss of the zoo promises."""

import pytest
import torch

from edgeau.errors import UsageError
from edgeau_training.losses import LOSSES, build_loss


def fitted(name, labels=3):
    loss = build_loss(name)
    loss.fit(torch.arange(1, labels + 1) * 10, torch.full((labels,), 50))
    return loss


def value_and_gradient(loss, logits, occurrence, mask):
    logits = logits.clone().requires_grad_()
    torch.manual_seed(1)  # selective learning draws
    value = loss(logits, occurrence, mask)
    value.backward()
    return value, logits.grad


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_extreme_logits_give_a_finite_loss_and_gradient(name, dtype):
    logits = torch.tensor([[-6e4, 6e4, 0.0], [6e4, -6e4, 1e-3]], dtype=dtype)
    occurrence = torch.tensor([[1.0, 0, 1], [1, 0, 0]])
    value, gradient = value_and_gradient(fitted(name), logits, occurrence, torch.ones(2, 3))
    assert value.ndim == 0
    assert value.isfinite()
    assert value > 0
    assert gradient.isfinite().all()
    assert gradient.dtype == dtype


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("code", [0.0, 1.0, 9.0, -1.0, 999.0])
def test_a_masked_entry_neither_counts_nor_learns(name, code):
    torch.manual_seed(0)
    logits, mask = torch.randn(4, 3), torch.ones(4, 3)
    occurrence = torch.tensor([[1.0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1]])
    mask[1, 2] = mask[3, 0] = 0
    value, gradient = value_and_gradient(fitted(name), logits, occurrence, mask)
    other, other_logits = occurrence.clone(), logits.clone()
    other[1, 2], other[3, 0], other_logits[1, 2] = code, code, 50
    again, gradient_again = value_and_gradient(fitted(name), other_logits, other, mask)
    torch.testing.assert_close(again, value)
    torch.testing.assert_close(gradient_again, gradient)
    assert gradient[1, 2] == gradient[3, 0] == 0


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_pushes_towards_the_truth(name):
    occurrence = torch.tensor([[1.0, 0, 1], [0, 1, 0]])
    _, gradient = value_and_gradient(fitted(name), torch.zeros(2, 3), occurrence, torch.ones(2, 3))
    assert (gradient * (1 - 2 * occurrence) > 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_without_any_label_costs_nothing(name):
    value, gradient = value_and_gradient(fitted(name), torch.randn(2, 3), torch.ones(2, 3), torch.zeros(2, 3))
    assert value == 0
    assert not gradient.any()


def test_an_unknown_loss_or_option_is_refused():
    with pytest.raises(UsageError, match="known: bbl, circle"):
        build_loss("hinge")
    with pytest.raises(UsageError, match="does not take these options"):
        build_loss("focal", alpha=0.25)
