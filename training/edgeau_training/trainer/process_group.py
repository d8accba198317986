"""Devices of a run: one process or many, on CPUs or GPUs, in full or mixed precision, through Lightning Fabric.

Under ``torchrun`` every process makes its share of each batch. The occurrence loss is computed on the whole batch, whose
logits the processes exchange, so losses with batch statistics do not depend on the number of processes; batch
normalisation uses each share's statistics, and running statistics are averaged.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor

from edgeau.errors import UsageError
from edgeau_training.trainer.student import Answers, Student

__all__ = ["DEVICES", "ProcessGroup", "SharedStudent"]

DEVICES = ("auto", "cpu", "cuda", "mps")


class ProcessGroup:
    """The processes of a run.

    Args:
        device: one of :data:`DEVICES`.
        precision: as Fabric names it.

    Raises:
        UsageError: this machine has no such device, or it does not compute in this precision.
    """

    def __init__(self, device: str = "cpu", precision: str = "32-true") -> None:
        logging.getLogger("lightning_fabric").setLevel(logging.ERROR)  # tips for people who call it by hand
        many = torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()
        world = int(os.environ["WORLD_SIZE"]) if many else 1
        local = int(os.environ["LOCAL_WORLD_SIZE"]) if many else 1
        try:
            self.fabric = Fabric(
                accelerator=device,
                devices=local,
                num_nodes=world // local,
                # Running statistics are averaged instead, see SharedStudent.
                strategy=DDPStrategy(broadcast_buffers=False) if world > 1 else "auto",
                precision=cast("Any", precision),
            )
            self.fabric.launch()
        except (ValueError, RuntimeError, ModuleNotFoundError) as error:
            raise UsageError(
                f"device {device!r} with precision {precision!r} cannot be used: {error}"
            ) from error

    @property
    def device(self) -> torch.device:
        """Device of this process."""
        return self.fabric.device

    @property
    def world(self) -> int:
        """Number of processes."""
        return self.fabric.world_size

    @property
    def rank(self) -> int:
        """Rank of this process, from 0."""
        return self.fabric.global_rank

    @property
    def first(self) -> bool:
        """True where this process writes files."""
        return self.fabric.is_global_zero

    def whole(self, share: Tensor) -> Tensor:
        """The shares of all processes, one after the other; only this process's own carries a gradient."""
        if self.world == 1:
            return share
        parts = list(cast("Tensor", self.fabric.all_gather(share.detach())))
        parts[self.rank] = share
        return torch.cat(parts)

    def of_first(self, value: float) -> float:
        """The first process's value."""
        return value if self.world == 1 else self.fabric.broadcast(value)


class SharedStudent:
    """A student that all processes train together.

    Args:
        processes: those of the run.
        student: on the device of this process; the optimiser updates its parameters.
        optimiser: optimiser of its parameters.
    """

    def __init__(self, processes: ProcessGroup, student: Student, optimiser: torch.optim.Optimizer) -> None:
        self._processes, self._student = processes, student
        self._module, self._wrapped = cast("tuple[Any, Any]", processes.fabric.setup(student, optimiser))
        self.optimiser = optimiser

    def step(
        self, images: Tensor, cells: int, criterion: Callable[[Answers], Tensor], last: bool = True
    ) -> Tensor:
        """Forward and backward of one part of a batch; gradients are added into the student's parameters.

        Args:
            images: ``(N, 3, H, W)``, this process's share.
            cells: that the picture spans, see :class:`~edgeau_training.trainer.student.Student`.
            criterion: loss of this process's answers.
            last: last of the parts: processes exchange gradients now.

        Returns:
            The loss, detached.
        """
        fabric = self._processes.fabric
        with fabric.no_backward_sync(self._module, enabled=not last):
            loss = criterion(self._module(images, cells))
            fabric.backward(loss)
        if last and self._processes.world > 1:
            self._average_statistics()
        return loss.detach()

    def clip(self, largest: float) -> float:
        """Clips the gradient's norm and gives what it was; 0 does not clip."""
        norm = self._processes.fabric.clip_gradients(
            self._module, self._wrapped, max_norm=largest or float("inf"), error_if_nonfinite=False
        )
        return float(cast("Tensor", norm))

    def update(self) -> None:
        """One step of the optimiser; gradients are gone afterwards."""
        self._wrapped.step()
        self._wrapped.zero_grad(set_to_none=True)

    def scaling(self) -> dict[str, Any]:
        """State of the loss scaling of half precision; empty without."""
        return self._processes.fabric.strategy.precision.state_dict()

    def restore_scaling(self, state: dict[str, Any]) -> None:
        """Goes on from such a state."""
        self._processes.fabric.strategy.precision.load_state_dict(state)

    def close(self) -> None:
        """Nothing: Fabric owns the processes."""

    def share_statistics(self) -> None:
        """Nothing: every process loads the running statistics itself."""

    @torch.no_grad()
    def _average_statistics(self) -> None:
        buffers = [buffer for buffer in self._student.buffers() if buffer.is_floating_point()]
        if not buffers:
            return
        flat = torch.cat([buffer.flatten() for buffer in buffers])
        flat = cast("Tensor", self._processes.fabric.all_reduce(flat, reduce_op="mean"))
        means = torch.split(flat, [buffer.numel() for buffer in buffers])
        for buffer, mean in zip(buffers, means, strict=True):
            buffer.copy_(mean.view_as(buffer))
