import pytest
import torch

from edgeau.errors import UsageError
from edgeau_training.losses import build_loss

LOGITS = torch.tensor([[0.5, -1], [2, 0], [-0.5, 1], [0, -2]])
TRUTH = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 0]])
ALL = torch.ones(4, 2)


def specified(mode):
    """The loss of the specification's test vector: P = (.25, 1.5)."""
    loss = build_loss("bbl", mode=mode)
    loss.ratio = torch.tensor([0.25, 1.5])
    return loss


@pytest.mark.parametrize(("mode", "value"), [("swap", 1.306251), ("literal", 1.504170)])
def test_vector_of_the_specification(mode, value):
    assert specified(mode)(LOGITS, TRUTH, ALL).item() == pytest.approx(value, abs=1e-6)


def test_cross_entropy_is_the_loss_with_all_weights_one():
    assert build_loss("cross-entropy")(LOGITS, TRUTH, ALL).item() == pytest.approx(0.803707, abs=1e-6)


def test_balance_of_the_specification():
    torch.testing.assert_close(specified("swap").balance(TRUTH, ALL), torch.tensor([4.0, 0.476190]))
    torch.testing.assert_close(specified("target1").balance(TRUTH, ALL), torch.tensor([1.0, 0.714286]))


def test_target1_is_literal_with_a_ratio_of_one():
    literal = specified("literal")
    literal.ratio = torch.ones(2)
    assert specified("target1")(LOGITS, TRUTH, ALL) == literal(LOGITS, TRUTH, ALL)


def test_fit_adds_one_to_both_counts():
    loss = build_loss("bbl")
    loss.fit(torch.tensor([0, 24]), torch.tensor([99, 99]))
    torch.testing.assert_close(loss.ratio, torch.tensor([0.01, 0.25]))


def test_weights_are_clipped():
    loss = build_loss("bbl")
    loss.fit(torch.tensor([0, 10_000]), torch.tensor([10_000, 0]))
    torch.testing.assert_close(loss.balance(TRUTH, ALL), torch.tensor([10.0, 0.1]))


def test_masked_entries_neither_count_nor_learn():
    mask = ALL.clone()
    mask[2, 1] = 0
    logits = LOGITS.clone().requires_grad_()
    loss = specified("swap")
    loss(logits, TRUTH, mask).backward()
    assert logits.grad[2, 1] == 0
    assert logits.grad[2, 0] != 0
    changed = TRUTH.clone()
    changed[2, 1] = 0
    assert loss(LOGITS, TRUTH, mask) == loss(LOGITS, changed, mask)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_large_logits_stay_finite(dtype):
    logits = torch.tensor([[1e4, -1e4]], dtype=dtype, requires_grad=True)
    value = specified("swap")(logits, torch.tensor([[0.0, 1]]), torch.ones(1, 2))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()
    assert value.dtype == torch.float32


def test_unknown_loss_and_mode_are_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="known: bbl, circle, cross-entropy"):
        build_loss("hinge")
    with pytest.raises(UsageError, match="known modes: swap, literal, target1"):
        build_loss("bbl", mode="swapped")
