"""Expression-driven wrinkles: height maps in the face atlas that grow with the rig's coefficients.

Real AUs 4, 6, 7, 9, 14 live by folds that the rig's shapes lack. Where each fold lies follows the FACS manual's
description of appearance changes; shapes, counts and depths are ours and vary from skin to skin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import strokes
from edgeau_training.synth.drawing import Image


@dataclass(frozen=True)
class Wrinkle:
    """A height patch (h, w) float32 cm at rows top.., columns left.. of the atlas, driven by coefficients."""

    top: int
    left: int
    patch: Image
    drivers: Mapping[str, float]


def wrinkled_height(base: Image, wrinkles: list[Wrinkle], coefficients: Mapping[str, float]) -> Image:
    """Return the height map (SIZE, SIZE) float32 cm: base plus every wrinkle at its strength."""
    height = base.copy()
    for wrinkle in wrinkles:
        strength = sum(
            max(0.0, coefficients.get(name, 0.0)) * weight for name, weight in wrinkle.drivers.items()
        )
        if strength > 0.03:
            rows, columns = wrinkle.patch.shape
            window = height[wrinkle.top : wrinkle.top + rows, wrinkle.left : wrinkle.left + columns]
            window += wrinkle.patch * np.float32(min(strength, 1.3))
    return height


def grooves(lines: list[NDArray[np.float32]], width: float, thickness: int = 1) -> Image:
    """Return (SIZE, SIZE) float32: grooves of depth about 1 with a low ridge on both sides; width in pixels."""
    drawn = strokes(lines, thickness)
    groove = np.asarray(cv2.GaussianBlur(drawn, (0, 0), width), np.float32)
    ridge = np.asarray(cv2.GaussianBlur(drawn, (0, 0), 2.6 * width), np.float32)
    peak = max(float(groove.max()), 1e-6)
    return np.asarray((0.9 * ridge - groove) / peak, np.float32)


def cut(height: Image, drivers: Mapping[str, float]) -> list[Wrinkle]:
    """The part of a height map ``(SIZE, SIZE)`` that is not flat, as a wrinkle; none when all of it is."""
    used = np.abs(height) > 0.02 * max(float(np.abs(height).max()), 1e-6)
    rows, columns = np.flatnonzero(used.any(1)), np.flatnonzero(used.any(0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    return [Wrinkle(top, left, height[top : rows[-1] + 1, left : columns[-1] + 1].copy(), drivers)]


def one_side(name: str, side: int) -> str:
    """A sided shape's name; side 1 is the subject's left, -1 the right."""
    return f"{name}_L" if side > 0 else f"{name}_R"


def mirror_points(points: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Points ``(N, 2)`` u, v of the left half, on the given side."""
    turned = points.copy()
    if side < 0:
        turned[:, 0] = 1 - turned[:, 0]
    return turned
