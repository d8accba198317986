import pytest
import torch

from edgeau_training.losses import build_loss
from edgeau_training.losses.cross_entropy import occurrence_and_mask

LOGITS = torch.tensor([[0.5, -1], [2, 0], [-0.5, 1], [0, -2]])


def test_vector_of_the_specification():
    codes = torch.tensor([[1, 0], [1, -1], [-1, 1], [0, -1]])
    value = build_loss("drml")(LOGITS, *occurrence_and_mask(codes))
    assert value.item() == pytest.approx(0.552105, abs=1e-6)


def test_zero_is_ignored_and_minus_one_is_absent():
    occurrence, mask = occurrence_and_mask(torch.tensor([[1, 0, -1]]))
    assert occurrence.tolist() == [[1, 0, 0]]
    assert mask.tolist() == [[1, 0, 1]]


def test_images_without_labels_count_in_the_mean():
    codes = torch.tensor([[1, -1], [0, 0]])
    both = build_loss("drml")(LOGITS[:2], *occurrence_and_mask(codes))
    first = build_loss("drml")(LOGITS[:1], *occurrence_and_mask(codes[:1]))
    torch.testing.assert_close(2 * both, first)
