"""Sides of a face that show an AU: the person's own left and right, each with a label of its own.

A side either shows an AU (intensity from ``ACTIVE`` on) or shows no more than a trace of it (up to ``TRACE``), so that each
side's label is as clear as the whole face's, which is that of the stronger side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.action_units import ACTIVE, AUS, TRACE

__all__ = ["LEFT", "RIGHT", "SIDED", "UNILATERAL", "sample_sides"]

# Rows of every array of sides; the person's own, so left is on the right of an unmirrored picture.
LEFT, RIGHT = 0, 1
# How often an AU that occurs does so on one side only (ours; dimples and brows most, as in people).
UNILATERAL = {1: 0.06, 2: 0.15, 4: 0.05, 5: 0.05, 6: 0.06, 7: 0.06, 9: 0.07, 10: 0.12, 12: 0.12, 14: 0.4, 15: 0.09,
              17: 0.06, 20: 0.09, 43: 0.09}  # fmt: skip
SIDED = tuple(UNILATERAL)  # AUs whose sides are labelled
_DEVIATION = 0.08  # of two-sided AUs, relative
_SAME_SIDE = 0.7  # one-sided AUs of one face mostly share a side


def sample_sides(intensities: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Draw what each half of a face shows of its AUs.

    Args:
        intensities: float32 ``(22,)``, 0..1, in the order of ``AUS``.
        random: stream.

    Returns:
        float32 ``(2, 22)``: left and right; the larger of both is the intensity.
    """
    balance = np.clip(random.normal(0, _DEVIATION, len(AUS)), -0.3, 0.3)
    sides = np.minimum(1, np.stack([1 + balance, 1 - balance])) * intensities
    active = intensities >= ACTIVE
    sides[:, active] = np.maximum(sides[:, active], ACTIVE)
    usual = int(random.integers(2))
    for number, probability in UNILATERAL.items():
        column = AUS.index(number)
        if active[column] and random.random() < probability:
            shown = usual if random.random() < _SAME_SIDE else 1 - usual
            sides[shown, column] = intensities[column]
            sides[1 - shown, column] = random.uniform(0, TRACE)
    return np.asarray(sides, np.float32)
