"""The relief that a skin has at rest: pores, and the folds that age has left."""

from __future__ import annotations

import numpy as np

from edgeau_training.synth.atlas import smooth_curve, smooth_noise
from edgeau_training.synth.drawing import Image
from edgeau_training.synth.wrinkles import grooves

__all__ = ["resting_relief"]


def resting_relief(random: np.random.Generator, age: float) -> Image:
    """Draw the relief of a skin: float32 ``(SIZE, SIZE)``, cm; age 0 (young) .. 1 (old)."""
    relief = (
        0.0016 * random.uniform(0.3, 1.5) * smooth_noise(random, 240) + 0.003 * smooth_noise(random, 26) * age
    )
    folds, under, brow, _ = random.uniform(0, 1, 4) ** 1.5 * (0.15 + age)
    for side in (1, -1):
        path = np.array([[0.572, 0.575], [0.598, 0.54], [0.622, 0.495], [0.636, 0.455]]) + random.normal(
            0, 0.002, (4, 2)
        )
        arc = np.array([[0.598, 0.690], [0.630, 0.674], [0.672, 0.684]]) + random.normal(0, 0.002, (3, 2))
        for line, width, amount in ((path, 3.0, 0.085 * folds), (arc, 2.6, 0.05 * under)):
            curve = smooth_curve(line)
            curve[:, 0] = 0.5 + side * (curve[:, 0] - 0.5)
            relief = relief + grooves([curve], width) * amount
    lines = []
    for _ in range(int(random.integers(1, 5))):
        u = np.linspace(0.3, 0.7, 9)
        lines.append(
            smooth_curve(np.stack([u, random.uniform(0.845, 0.92) + random.normal(0, 0.002, 9)], 1), 40)
        )
    return np.asarray(relief + grooves(lines, 1.8) * 0.03 * brow, np.float32)
