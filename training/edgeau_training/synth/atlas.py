"""Places in the face atlas: where the iBUG points lie, and noise and strokes drawn there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.drawing import Image, blur, empty_mask, polygon, polyline
from edgeau_training.synth.rig import FACE, Rig

SIZE = 512  # pixels per side of the atlas; about 21 per centimetre on the face


def atlas_points(rig: Rig) -> NDArray[np.float32]:
    """Return (68, 2) float32: u, v (v upwards) of the iBUG points in the face atlas."""
    uv = np.zeros((len(rig.neutral), 2), np.float32)
    skin = rig.materials == FACE
    uv[rig.triangles[skin].ravel()] = rig.uvs[skin].reshape(-1, 2)
    return uv[rig.landmarks]


def pixels(uv: NDArray[Any]) -> NDArray[np.float32]:
    """Return atlas pixels (N, 2) of u, v (N, 2)."""
    flat = np.asarray(uv, np.float32).reshape(-1, 2)
    return np.asarray(np.stack([flat[:, 0] * (SIZE - 1), (1 - flat[:, 1]) * (SIZE - 1)], 1), np.float32)


def smooth_noise(random: np.random.Generator, cells: int, size: int = SIZE, rows: int | None = None) -> Image:
    """Return (size, size) float32 noise of unit variance per cell, smooth between the cells."""
    coarse = random.standard_normal((rows or cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def strokes(lines: list[NDArray[Any]], thickness: int = 1) -> Image:
    """Return (SIZE, SIZE) float32 0..1: polylines given as u, v points, anti-aliased."""
    canvas = empty_mask(SIZE)
    for line in lines:
        polyline(canvas, pixels(line), thickness, bits=4)
    return canvas.astype(np.float32) / 255


def fill_region(outline: NDArray[Any], deviation: float) -> Image:
    """Return (SIZE, SIZE) float32 0..1: the inside of an outline (u, v), softened by a deviation in pixels."""
    canvas = empty_mask(SIZE)
    polygon(canvas, pixels(outline), bits=4)
    return blur(canvas, deviation).astype(np.float32) / 255


def bump(u: float, v: float, width: float, height: float) -> Image:
    """Return (SIZE, SIZE) float32: a Gaussian hill of peak 1 at u, v with the given standard deviations."""
    axis = np.arange(SIZE, dtype=np.float32) / (SIZE - 1)
    across = np.exp(-(((axis - u) / width) ** 2) / 2)
    down = np.exp(-((((1 - axis) - v) / height) ** 2) / 2)
    return np.outer(down, across).astype(np.float32)


def smooth_curve(points: NDArray[Any], count: int = 24) -> NDArray[np.float32]:
    """Return (count, 2) points of a Catmull-Rom curve through points (N, 2)."""
    knots = np.asarray(points, np.float64)
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    along = np.linspace(0, len(knots) - 1 - 1e-6, count)
    at = along.astype(int)
    t = (along - at)[:, None]
    p0, p1, p2, p3 = padded[at], padded[at + 1], padded[at + 2], padded[at + 3]
    curve = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.asarray(curve, np.float32)
