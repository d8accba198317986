import pytest
import torch
from torch.nn import functional

from edgeau_training.losses import build_loss
from edgeau_training.losses.cross_entropy import circle

LOGITS = torch.tensor([[2.0, -1.0, 0.5, -3.0]])
TRUTH = torch.tensor([[1.0, 0.0, 0.0, 1.0]])
ALL = torch.ones(1, 4)


def test_vector_of_the_specification():
    cross_entropy = functional.binary_cross_entropy_with_logits(LOGITS, TRUTH)
    assert cross_entropy.item() == pytest.approx(1.115714, abs=1e-6)
    assert circle(LOGITS, TRUTH, ALL).item() == pytest.approx(4.159116, abs=1e-6)
    assert build_loss("circle")(LOGITS, TRUTH, ALL).item() == pytest.approx(5.274829, abs=2e-6)


def test_without_positives():
    logits, truth = torch.tensor([[2.0, -1.0]]), torch.zeros(1, 2)
    assert circle(logits, truth, torch.ones(1, 2)).item() == pytest.approx(2.169846, abs=1e-6)


def test_empty_sets_cost_nothing():
    assert circle(LOGITS, TRUTH, torch.zeros(1, 4)).item() == 0


def test_masked_aus_are_in_neither_set_and_not_in_the_mean():
    mask = torch.tensor([[1.0, 0, 1, 0]])
    kept = [0, 2]
    expected = build_loss("circle")(LOGITS[:, kept], TRUTH[:, kept], ALL[:, kept])
    torch.testing.assert_close(build_loss("circle")(LOGITS, TRUTH, mask), expected)


def test_images_are_averaged():
    logits, truth = torch.cat([LOGITS, -LOGITS]), torch.cat([TRUTH, TRUTH])
    each = [build_loss("circle")(logits[i : i + 1], TRUTH, ALL) for i in range(2)]
    torch.testing.assert_close(build_loss("circle")(logits, truth, torch.ones(2, 4)), sum(each) / 2)


def test_the_mean_cross_entropy_is_the_equation_as_printed():
    """Mean over an image's valid AUs, then over images: the sum is the number of AUs times that where all are valid."""
    assert build_loss("mean-cross-entropy")(LOGITS, TRUTH, ALL).item() == pytest.approx(1.115714, abs=1e-6)
    summed = build_loss("cross-entropy")(LOGITS, TRUTH, ALL).item()
    assert summed == pytest.approx(4 * 1.115714, abs=4e-6)
    half = torch.tensor([[1.0, 0, 0, 1]])
    expected = build_loss("mean-cross-entropy")(LOGITS[:, [0, 3]], TRUTH[:, [0, 3]], half[:, [0, 3]])
    torch.testing.assert_close(build_loss("mean-cross-entropy")(LOGITS, TRUTH, half), expected)
