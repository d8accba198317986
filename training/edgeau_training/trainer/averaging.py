"""Exponential moving average of weights and running statistics: what is validated and shipped."""

from __future__ import annotations

import copy

import torch
from torch import nn

from edgeau_training.trainer.student import Student

__all__ = ["Average"]


class Average:
    """A copy of a student that follows it slowly.

    Args:
        student: to follow.
        decay: of one step, 0..1; in the first steps of a stage less, so that the random start, or the statistics of another
            resolution, are forgotten.
    """

    def __init__(self, student: Student, decay: float) -> None:
        self.student = copy.deepcopy(student).eval().requires_grad_(False)
        self.decay = decay
        self._mine = _floats(self.student)
        self._followed = _floats(student)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After optimiser step ``step`` (from 1) of the stage."""
        decay = min(self.decay, step / (step + 10))
        torch._foreach_lerp_(self._mine, self._followed, 1 - decay)


def _floats(model: nn.Module) -> list[torch.Tensor]:
    return [tensor for tensor in model.state_dict(keep_vars=False).values() if tensor.is_floating_point()]
