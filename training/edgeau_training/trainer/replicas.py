"""Data-parallel training inside one process: one replica a core, each on its share of the batch, sharing the weights.

On few cores this beats one replica whose operations are split over threads (78 against 54 images/s at 96 pixels on two
cores): threads meet once a step and not at every operation. The loss is computed on the whole batch, so losses with batch
statistics do not depend on the number of replicas; batch normalisation uses each share's statistics.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from edgeau_training.trainer.student import Answers, Student

__all__ = ["Replicas"]


class Replicas:
    """A student and copies of it that share its parameters but not their gradients.

    Args:
        student: the one whose parameters the optimiser updates.
        count: replicas, itself included.
    """

    def __init__(self, student: Student, count: int) -> None:
        self.students = [student, *(copy.deepcopy(student) for _ in range(count - 1))]
        self._main, *others = [list(one.parameters()) for one in self.students]
        self._others = others
        for parameters in others:
            for mine, shared in zip(parameters, self._main, strict=True):
                mine.data = shared.data
        self._buffers = [
            [buffer for buffer in one.buffers() if buffer.is_floating_point()] for one in self.students
        ]
        self._pool = ThreadPoolExecutor(count, "replica")

    def step(self, images: Tensor, field: int, criterion: Callable[[Answers], Tensor]) -> Tensor:
        """Forward and backward of one batch; gradients are added into the student's parameters.

        Args:
            images: ``(N, 3, H, W)``, N a multiple of the number of replicas.
            field: the view's field, pixels.
            criterion: loss of the whole batch's answers.

        Returns:
            The loss, detached.
        """
        shares = images.chunk(len(self.students))
        answers = list(self._pool.map(lambda student, share: student(share, field), self.students, shares))
        leaves = [Answers(*(tensor.detach().requires_grad_() for tensor in answer)) for answer in answers]
        # Faces are the last but one axis of every answer.
        loss = criterion(Answers(*(torch.cat(parts, dim=-2) for parts in zip(*leaves, strict=True))))
        loss.backward()  # type: ignore[no-untyped-call]
        list(self._pool.map(_backward, answers, leaves))
        self._gather()
        return loss.detach()

    @torch.no_grad()
    def _gather(self) -> None:
        """Sums the gradients and averages the running statistics, always in the same order."""
        for parameters in self._others:
            mine = [one.grad for one in self._main if one.grad is not None]
            theirs = [one.grad for one in parameters if one.grad is not None]
            torch._foreach_add_(mine, theirs)
            for other in parameters:
                other.grad = None
        if len(self._buffers) > 1 and self._buffers[0]:
            main, *others = self._buffers
            for buffers in others:
                torch._foreach_add_(main, buffers)
            torch._foreach_div_(main, float(len(self._buffers)))
            for buffers in others:
                torch._foreach_copy_(buffers, main)

    def share_statistics(self) -> None:
        """Gives every replica the student's running statistics, after these were loaded."""
        for buffers in self._buffers[1:]:
            for mine, main in zip(buffers, self._buffers[0], strict=True):
                mine.copy_(main)


def _backward(answer: Answers, leaf: Answers) -> None:
    pairs = [(tensor, seen.grad) for tensor, seen in zip(answer, leaf, strict=True) if seen.grad is not None]
    torch.autograd.backward([tensor for tensor, _ in pairs], [gradient for _, gradient in pairs])
