"""The learning rate: a linear warm-up by steps, then one cosine over the whole run's progress."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgeau_training.trainer.recipe import Optimiser, Stage

__all__ = ["learning_rate", "progress"]

_FLOOR = 0.01  # of the peak, so that the last steps still move running statistics and head together


def progress(stages: Sequence[Stage], stage: int, fraction: float) -> float:
    """How much of the run is done, 0..1; each stage weighs its minutes, or its steps where all are bounded by steps."""
    by_steps = all(one.steps for one in stages)
    weights = [one.steps if by_steps else one.minutes or one.steps / 100 for one in stages]
    return (sum(weights[:stage]) + weights[stage] * fraction) / sum(weights)


def learning_rate(options: Optimiser, step: int, done: float) -> float:
    """Of optimiser step ``step`` (from 0) at progress ``done``."""
    warm = min(1.0, (step + 1) / max(1, options.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    return options.lr * warm * max(_FLOOR, cosine)
