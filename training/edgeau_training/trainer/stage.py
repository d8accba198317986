"""One stage of a training: a resolution, a batch size, a length."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeau.errors import UsageError

__all__ = ["Stage"]


@dataclass(frozen=True)
class Stage:
    """It ends after ``steps`` steps, ``epochs`` epochs or ``minutes`` minutes, whichever is given.

    Attributes:
        name: in the log.
        pixels: side of the training picture; 0 takes the network's input size. Only MRP-Net trains at other sizes.
        field: pixels of the stored crop that the picture spans; 0 takes what the device will see. MRP-Net's is 224 (all) or
            160 (the face without its surroundings) of 256.
        batch: faces a step, over all processes and parts.
        augmentation: strength of the recipe's augmentation in this stage, 0..1.
        rate: times the schedule's learning rate; a change of view late in the run needs more than the schedule leaves.
        restart: the learning rate's schedule begins anew here, without another warm-up.
        steps: optimiser steps, or 0.
        epochs: passes through what the sampler draws, or 0.
        minutes: wall-clock minutes with validation, or 0. A run with it depends on the machine; the log tells the steps.
    """

    name: str
    pixels: int = 0
    field: float = 0.0
    batch: int = 64
    augmentation: float = 1.0
    rate: float = 1.0
    restart: bool = False
    steps: int = 0
    epochs: int = 0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        lengths = (self.steps, self.epochs, self.minutes)
        if not all(0 <= value < math.inf for value in (*lengths, self.field, self.augmentation, self.rate)):
            raise UsageError(
                f"stage {self.name!r}: steps, epochs, minutes, field, augmentation and rate must be numbers of 0 or more"
            )
        if sum(length > 0 for length in lengths) != 1:
            raise UsageError(f"stage {self.name!r} needs either steps, epochs or minutes, greater than 0")
        if (self.pixels and self.pixels < 32) or self.batch < 2:
            raise UsageError(f"stage {self.name!r}: pixels must be at least 32 and batch at least 2")

    def fraction(self, steps: int, epochs: float, seconds: float) -> float:
        """Compute how much of the stage is done, 0..1, after so many steps, epochs and seconds of it."""
        if self.steps:
            return min(1.0, steps / self.steps)
        return min(1.0, epochs / self.epochs if self.epochs else seconds / (60 * self.minutes))
