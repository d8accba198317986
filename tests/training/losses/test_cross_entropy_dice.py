import torch

from edgeau_training.losses import build_loss
from edgeau_training.losses.cross_entropy import dice

ALL = torch.ones(2, 1)


def test_a_perfect_answer_costs_nothing():
    assert dice(torch.tensor([[100.0], [-100.0]]), torch.tensor([[1.0], [0.0]]), ALL) == 0


def test_the_formula():
    logits, truth = torch.zeros(2, 1), torch.tensor([[1.0], [0.0]])
    expected = 1 - (2 * 0.5 + 1) / (1 + 0.5 + 1)
    torch.testing.assert_close(dice(logits, truth, ALL), torch.tensor(expected))
    both = build_loss("cross-entropy-dice")(logits, truth, ALL)
    torch.testing.assert_close(both, expected + build_loss("cross-entropy")(logits, truth, ALL))
