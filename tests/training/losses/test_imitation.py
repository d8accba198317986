"""The distance from a teacher: how else faces are ordered, whatever the scale."""

import numpy as np
import pytest
import torch

from edgeau_training.losses.imitation import distance_from_teacher

LOGITS = torch.randn(12, 3, generator=torch.Generator().manual_seed(2))


def test_the_same_order_and_spacing_is_no_distance_at_any_scale_and_offset():
    teacher = LOGITS * torch.tensor([0.2, 1.0, 7.0]) + torch.tensor([-3.0, 0.0, 4.0])
    assert float(distance_from_teacher(LOGITS, teacher)) == pytest.approx(0, abs=1e-4)
    assert float(distance_from_teacher(LOGITS, -teacher)) == pytest.approx(2, abs=1e-4)


def test_it_is_one_minus_numpys_correlation():
    teacher = LOGITS.roll(1, 0)
    expected = np.mean([np.corrcoef(LOGITS[:, c], teacher[:, c])[0, 1] for c in range(3)])
    assert float(distance_from_teacher(LOGITS, teacher)) == pytest.approx(1 - expected, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_faces_that_all_look_alike_give_a_finite_gradient(dtype):
    logits = torch.ones(4, 2, dtype=dtype, requires_grad=True)
    value = distance_from_teacher(logits, torch.ones(4, 2))
    value.backward()
    assert float(value.detach()) == pytest.approx(1)
    assert torch.isfinite(logits.grad).all()
