"""Folds of the upper face: forehead lines (AU 1, 2), frown (4), crow's feet and pouch (6), lower lid (7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import SIZE, bump, smooth_curve
from edgeau_training.synth.wrinkles import Wrinkle, cut, grooves, mirror_points, one_side

__all__ = ["eye_folds", "forehead_folds", "frown_folds"]


def forehead_folds(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    """Horizontal lines; the middle ones follow the inner brows, the others the outer brow of their side."""
    brow = float(points[24, 1])
    count, first = int(random.integers(2, 6)), brow + random.uniform(0.022, 0.034)
    lines = []
    for row in range(count):
        u = np.linspace(0.27, 0.73, 11)
        arch = random.normal(0, 0.004) + 0.010 * np.cos((u - 0.5) * 9) * random.uniform(0.2, 1)
        v = first + row * random.uniform(0.017, 0.026) + arch + random.normal(0, 0.0022, 11)
        keep = slice(int(random.integers(0, 3)), 11 - int(random.integers(0, 3)))
        lines.append(smooth_curve(np.stack([u, v], 1)[keep], 40))
    height = grooves(lines, random.uniform(1.5, 2.3)) * (0.075 * depth * random.uniform(0.7, 1.9))
    u = np.linspace(0, 1, SIZE, dtype=np.float32)
    middle = np.exp(-(((u - 0.5) / 0.075) ** 2) / 2)
    outer = np.clip((np.abs(u - 0.5) - 0.06) / 0.06, 0, 1)
    found = cut(
        height * middle,
        {"browInnerUp_L": 0.5, "browInnerUp_R": 0.5, "browOuterUp_L": 0.15, "browOuterUp_R": 0.15},
    )
    found += cut(height * outer * (u > 0.5), {"browOuterUp_L": 1.0, "browInnerUp_L": 0.2})
    return found + cut(height * outer * (u < 0.5), {"browOuterUp_R": 1.0, "browInnerUp_R": 0.2})


def frown_folds(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    """Vertical lines between the brows with a bulge beside them, and the crease of the nose root."""
    found: list[Wrinkle] = []
    low, high = float(points[27, 1]) + 0.035, float(points[22, 1]) + random.uniform(0.02, 0.04)
    for side in (1, -1):
        inner = 0.5 + side * random.uniform(0.010, 0.020)
        lines = [
            smooth_curve(
                np.array(
                    [
                        [inner, low],
                        [inner + side * 0.004, (low + high) / 2],
                        [inner + side * random.uniform(0.004, 0.016), high],
                    ]
                )
            )
        ]
        if random.random() < 0.4:
            second = inner + side * random.uniform(0.012, 0.02)
            lines.append(smooth_curve(np.array([[second, low + 0.02], [second + side * 0.005, high]]), 12))
        fold = grooves(lines, random.uniform(1.7, 2.6)) * 0.10 * depth
        bulge = (
            bump(0.5 + side * 0.055, float(points[22, 1]) - 0.004, 0.03, 0.013) * 0.13 * (0.5 + 0.5 * depth)
        )
        found += cut(fold + bulge, {one_side("browDown", side): 1.0})
    line = smooth_curve(np.array([[0.468, low - 0.012], [0.5, low - 0.018], [0.532, low - 0.012]]))
    crease = grooves([line], 2.0) * 0.06 * depth
    return found + cut(
        crease, {"browDown_L": 0.4, "browDown_R": 0.4, "noseSneer_L": 0.25, "noseSneer_R": 0.25}
    )


def eye_folds(
    random: np.random.Generator, points: NDArray[np.float32], depth: float, side: int
) -> list[Wrinkle]:
    """Crow's feet, the pouch and raised cheek below the eye, the lower lid's crease; one side (1 left, -1 right)."""
    corner = points[45]  # the subject's left outer canthus; the right side is mirrored
    rays = []
    for angle in np.linspace(-0.75, 0.6, int(random.integers(3, 6))) + random.normal(0, 0.07):
        start, end = random.uniform(0.014, 0.024), random.uniform(0.05, 0.085)
        direction = np.array([np.cos(angle), np.sin(angle) * 0.8])
        bend = np.array([0, random.normal(-0.002, 0.003)])
        rays.append(
            smooth_curve(
                corner + np.stack([direction * start, direction * (start + end) / 2 + bend, direction * end])
            )
        )
    feet = grooves([mirror_points(ray, side) for ray in rays], random.uniform(1.3, 1.9)) * 0.085 * depth
    found = cut(feet, {one_side("cheekSquint", side): 1.0, one_side("eyeSquint", side): 0.12})
    arc = np.array([[0.600, 0.688], [0.628, 0.676], [0.660, 0.678], [0.690, 0.690]]) + random.normal(
        0, 0.002, (4, 2)
    )
    pouch = grooves([mirror_points(smooth_curve(arc), side)], random.uniform(2.0, 2.8)) * 0.085 * depth
    raised = bump(0.5 + side * 0.155, 0.635, 0.055, 0.03) * 0.16
    found += cut(pouch + raised, {one_side("cheekSquint", side): 1.0})
    lid = np.array([[0.612, 0.703], [0.640, 0.697], [0.668, 0.703]]) + random.normal(0, 0.0012, (3, 2))
    crease = (
        grooves([mirror_points(smooth_curve(lid), side)], random.uniform(1.2, 1.7))
        * 0.07
        * (0.4 + 0.6 * depth)
    )
    swelling = bump(0.5 + side * 0.142, 0.706, 0.03, 0.004) * 0.05
    return found + cut(
        crease + swelling, {one_side("eyeSquint", side): 1.0, one_side("eyeBlink", side): 0.12}
    )
