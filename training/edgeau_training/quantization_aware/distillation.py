"""The fine-tuning itself: the rounded network learns to answer as the float one did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgeau._system.progress import progress_bar

__all__ = ["Course", "distil", "loss_of"]

_WARM_UP = 0.05


@dataclass(frozen=True)
class Course:
    """Length and learning rate.

    Attributes:
        steps: steps of the optimiser.
        rate: largest learning rate; it rises over the first twentieth and falls along a cosine. Ten times as much
            undoes more than it fixes: folded weights are small where batch norm had a small scale.
        features: weight of the vector before the classifier beside the decisions.
    """

    steps: int = 300
    rate: float = 3e-5
    features: float = 1.0


def distil(
    student: nn.Module,
    teacher: nn.Module,
    batches: Iterator[Tensor],
    course: Course,
    each: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Fine-tune a student in place.

    Args:
        student: rounded, in evaluation mode and staying there: statistics of batch norms are folded already.
        teacher: the float network.
        batches: normalised images, one batch a step.
        course: how long and how fast.
        each: called with the number of the step and its loss.

    Returns:
        The loss of every step.
    """
    parameters = [one for one in student.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=course.rate, weight_decay=0.0)
    warm_up = max(1, int(_WARM_UP * course.steps))
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimiser,
        [
            torch.optim.lr_scheduler.LinearLR(optimiser, 0.1, 1.0, warm_up),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, course.steps - warm_up)),
        ],
        [warm_up],
    )
    losses: list[float] = []
    for step in progress_bar(range(course.steps), desc="fine-tuning", unit="step"):
        images = next(batches)
        loss = loss_of(student, teacher, images, course.features)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        schedule.step()
        losses.append(float(loss.detach()))
        if each is not None:
            each(step, losses[-1])
    return losses


def loss_of(student: nn.Module, teacher: nn.Module, images: Tensor, features: float) -> Tensor:
    """Cross-entropy of the student's probabilities against the teacher's above its least, and the features' relative error.

    Networks without ``features`` and ``classify`` are taught by their logits alone.
    """
    with torch.no_grad():
        wanted, vector = _answers(teacher, images)
    logits, own = _answers(student, images)
    target = torch.sigmoid(wanted)
    # The target's own entropy is taken off, so that 0 is perfect.
    least = functional.binary_cross_entropy_with_logits(wanted, target)
    loss = functional.binary_cross_entropy_with_logits(logits, target) - least
    if vector is not None and own is not None:
        loss = loss + features * functional.mse_loss(own, vector) / vector.var().clamp(min=1e-6)
    return loss


def _answers(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor | None]:
    if not hasattr(network, "features") or not hasattr(network, "classify"):
        return network(images), None
    vector: Tensor = network.features(images)  # type: ignore[operator]
    return network.classify(vector), vector  # type: ignore[operator]
