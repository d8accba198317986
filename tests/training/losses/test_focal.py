import pytest
import torch

from edgeau.errors import UsageError
from edgeau_training.losses import build_loss

LOGITS = torch.tensor([[0.5, -1.0], [2.0, 0.0]])
TRUTH = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
ALL = torch.ones(2, 2)


def test_the_formula_in_probabilities():
    p = LOGITS.sigmoid()
    right = torch.where(TRUTH > 0, p, 1 - p)
    expected = ((1 - right) ** 2 * -right.log()).sum() / 2
    torch.testing.assert_close(build_loss("focal")(LOGITS, TRUTH, ALL), expected)


def test_gamma_zero_is_cross_entropy():
    focal, cross_entropy = build_loss("focal", gamma=0.0), build_loss("cross-entropy")
    torch.testing.assert_close(focal(LOGITS, TRUTH, ALL), cross_entropy(LOGITS, TRUTH, ALL))


def test_a_negative_gamma_is_refused():
    with pytest.raises(UsageError, match="0 or more"):
        build_loss("focal", gamma=-1.0)
