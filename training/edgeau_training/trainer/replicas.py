"""Data-parallel training inside one process: one replica a core, each on its share of the batch, sharing the weights.

On few cores this beats one replica whose operations are split over threads (78 against 54 images/s at 96 pixels on two
cores): threads meet once a step and not at every operation. The loss is computed on the whole batch, so losses with batch
statistics do not depend on the number of replicas; batch normalisation uses each share's statistics.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from edgeau_training.trainer.student import Answers, Student

__all__ = ["Replicas"]


class Replicas:
    """A student and copies of it that share its parameters but not their gradients.

    Args:
        student: the one whose parameters the optimiser updates.
        count: replicas, itself included.
        optimiser: optimiser of the student's parameters; None where only gradients are wanted.
    """

    def __init__(self, student: Student, count: int, optimiser: torch.optim.Optimizer | None = None) -> None:
        self.optimiser: Any = optimiser
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

    def step(
        self,
        images: Tensor,
        cells: int,
        criterion: Callable[[Answers], Tensor],
        last: bool = True,  # noqa: ARG002  (nothing waits for the last part here)
    ) -> Tensor:
        """Forward and backward of one batch; gradients are added into the student's parameters.

        Args:
            images: ``(N, 3, H, W)``, N a multiple of the number of replicas.
            cells: that the picture spans, see :class:`~edgeau_training.trainer.student.Student`.
            criterion: loss of the whole batch's answers.
            last: last of the parts of a batch.

        Returns:
            The loss, detached.
        """
        shares = images.chunk(len(self.students))
        answers = list(self._pool.map(lambda student, share: student(share, cells), self.students, shares))
        leaves = [_leaf(answer) for answer in answers]
        loss = criterion(_joined(leaves))
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

    def clip(self, largest: float) -> float:
        """Clips the gradient's norm and gives what it was; 0 does not clip."""
        return float(torch.nn.utils.clip_grad_norm_(self._main, largest or float("inf")))

    def update(self) -> None:
        """One step of the optimiser; gradients are gone afterwards."""
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

    def scaling(self) -> dict[str, Any]:
        """Nothing: replicas compute in full precision."""
        return {}

    def restore_scaling(self, state: dict[str, Any]) -> None:
        """Nothing to restore."""

    def close(self) -> None:
        """Ends the threads; no step can be made afterwards."""
        self._pool.shutdown()

    def share_statistics(self) -> None:
        """Gives every replica the student's running statistics, after these were loaded."""
        for buffers in self._buffers[1:]:
            for mine, main in zip(buffers, self._buffers[0], strict=True):
                mine.copy_(main)


def _leaf(answer: Answers) -> Answers:
    """The answer cut off from what made it."""

    def cut(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.detach().requires_grad_()

    return Answers(answer.logits.detach().requires_grad_(), cut(answer.intensity), cut(answer.points))


def _joined(leaves: list[Answers]) -> Answers:
    """The replicas' answers as one; faces are the last but one axis of every answer."""

    def joined(parts: list[Tensor | None]) -> Tensor | None:
        tensors = [part for part in parts if part is not None]
        return torch.cat(tensors, dim=-2) if tensors else None

    return Answers(
        torch.cat([leaf.logits for leaf in leaves]),
        joined([leaf.intensity for leaf in leaves]),
        joined([leaf.points for leaf in leaves]),
    )


def _backward(answer: Answers, leaf: Answers) -> None:
    pairs = [
        (tensor, seen.grad)
        for tensor, seen in zip(answer, leaf, strict=True)
        if tensor is not None and seen is not None and seen.grad is not None
    ]
    torch.autograd.backward([tensor for tensor, _ in pairs], [gradient for _, gradient in pairs])
