"""Eyebrows drawn hair by hair in the face atlas."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import SIZE, pixels
from edgeau_training.synth.drawing import Image, blur, empty_mask

HAIRS = 420


def brow_mask(random: np.random.Generator, points: NDArray[np.float32], male: bool) -> Image:
    """Return (SIZE, SIZE) float32 0..1: how much of each atlas pixel is brow hair.

    points (68, 2): u, v of the iBUG points. Height, arch, thickness and density vary; a few people have hardly any.
    """
    canvas = empty_mask(SIZE)
    thickness = random.uniform(7.0, 14.0) if male else random.uniform(4.0, 10.0)
    density = float(random.beta(2.2, 1.2))
    lift, arch, shift = random.uniform(-5.0, 2.0), random.uniform(-3.0, 4.0), random.uniform(-4, 4)
    straight = random.uniform(0.3, 1.0)
    for first, side in ((17, 1), (26, -1)):
        anchors = pixels(points[[first + side * step for step in range(5)]])
        along = np.linspace(0, 1, 5)
        anchors[:, 1] += -lift - arch * np.sin(np.pi * along) * 1.2
        anchors[:, 0] += side * shift * (along - 0.5)
        _draw_brow(random, canvas, anchors, side, (thickness, density, straight))
    soft = blur(canvas, random.uniform(0.5, 1.3)).astype(np.float32) / 255
    return np.clip(soft * random.uniform(0.7, 1.25), 0, 0.97).astype(np.float32)


def _draw_brow(
    random: np.random.Generator, canvas: NDArray[np.uint8], anchors: NDArray[np.float32], side: int,
    style: tuple[float, float, float],
) -> None:  # fmt: skip
    thickness, density, straight = style
    for place in random.uniform(0, 1, int(HAIRS * (0.25 + density))):
        # place 0 is the outer tip, 1 the inner end, which is blunter.
        half = thickness * 0.5 * (0.25 + 0.75 * np.sin(np.pi * min(1.0, 0.12 + 0.72 * place)) ** 0.8)
        x = float(np.interp(place * 4, range(5), anchors[:, 0]))
        y = float(np.interp(place * 4, range(5), anchors[:, 1])) + random.uniform(-half, half)
        rise = (1.15 * place**2 + 0.05) * straight + random.normal(0, 0.18) - 0.15
        length = random.uniform(5, 11) * (0.7 + 0.05 * thickness)
        tip = (x - side * np.cos(rise) * length, y - np.sin(rise) * length)
        points = [round(value * 8) for value in (x, y, *tip)]
        grey = float(random.integers(120, 255))
        cv2.line(canvas, (points[0], points[1]), (points[2], points[3]), (grey,), 1, cv2.LINE_AA, 3)
