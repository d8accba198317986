"""The learning rate: a linear warm-up by steps, then one cosine over the run's progress, or drops at given places."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgeau_training.trainer.optimisation import Optimiser
from edgeau_training.trainer.stage import Stage

__all__ = ["learning_rate", "progress", "restarted_at"]


def restarted_at(stages: Sequence[Stage], stage: int) -> int:
    """Index of the stage in which the schedule of this stage began."""
    return max((place for place in range(1, stage + 1) if stages[place].restart), default=0)


def progress(stages: Sequence[Stage], stage: int, fraction: float) -> float:
    """Compute how much is done of what belongs to the schedule of this stage, 0..1.

    Each stage weighs its steps where all are bounded by steps, its epochs where all are by epochs; else its minutes.
    """
    start = restarted_at(stages, stage)
    end = next((place for place in range(stage + 1, len(stages)) if stages[place].restart), len(stages))
    weights = [_weight(one, stages) for one in stages[start:end]]
    return (sum(weights[: stage - start]) + weights[stage - start] * fraction) / sum(weights)


def learning_rate(options: Optimiser, step: int, done: float, since: tuple[int, int] = (0, 0)) -> float:
    """Compute the learning rate of one optimiser step.

    Args:
        options: options of the recipe.
        step: from 0, of the run.
        done: progress of the schedule, 0..1.
        since: steps and whole epochs since the schedule began.
    """
    rate = options.lr * min(1.0, (step + 1) / max(1, options.warmup_steps))
    if options.schedule == "drops":
        passed = since[options.drops_in == "epochs"]
        return float(rate * options.drop ** sum(passed >= place for place in options.drops))
    return float(rate * max(options.floor, 0.5 * (1 + math.cos(math.pi * done))))


def _weight(one: Stage, stages: Sequence[Stage]) -> float:
    if all(stage.steps for stage in stages):
        return one.steps
    if all(stage.epochs for stage in stages):
        return one.epochs
    return one.minutes or one.steps / 100  # some steps a second: a guess that only shapes the cosine
