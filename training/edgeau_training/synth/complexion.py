"""Complexion of a skin: blotches and flush, the surroundings of the eyes, lips, moles and freckles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import bump, fill_region, smooth_curve, smooth_noise, strokes
from edgeau_training.synth.drawing import Image

__all__ = ["complexion", "with_eye_surroundings", "with_lips", "with_marks"]


def complexion(
    random: np.random.Generator, tone: NDArray[np.float32], darkness: float, points: NDArray[np.float32]
) -> Image:
    """A skin of one tone ``(3,)`` with blotches, pores and flush; darkness 0 (light) .. 1; float32 ``(SIZE, SIZE, 3)``."""
    blotch = 0.018 * random.uniform(0.3, 1.6) * smooth_noise(random, 7) + 0.010 * smooth_noise(random, 40)
    pores = 0.010 * random.uniform(0.3, 1.5) * smooth_noise(random, 256)
    atlas = tone * (1 + blotch + pores)[..., None]
    flush = np.array([0.05, -0.035, -0.035], np.float32) * random.uniform(0, 1.2) * (1 - 0.6 * darkness)
    nose = points[30]
    for u, v, size in (
        (0.30, 0.56, 0.07),
        (0.70, 0.56, 0.07),
        (float(nose[0]), float(nose[1]), 0.05),
        (0.5, 0.31, 0.04),
    ):
        atlas = atlas + flush * (bump(u, v, size, size * 0.8) * random.uniform(0.4, 1.2))[..., None]
    return np.asarray(atlas, np.float32)


def with_eye_surroundings(
    random: np.random.Generator,
    atlas: Image,
    tone: NDArray[np.float32],
    points: NDArray[np.float32],
    male: bool,
) -> Image:
    """The atlas with darker sockets, bags under the eyes and, on some, eye shadow."""
    shade, bags = random.uniform(0.02, 0.16), random.uniform(0, 0.14)
    for corner in (36, 42):
        u, v = points[corner : corner + 6].mean(0)
        ring = bump(float(u), float(v) + 0.008, 0.055, 0.022)[..., None] * shade
        under = bump(float(u), float(v) - 0.026, 0.042, 0.011)[..., None] * bags
        atlas = atlas * (1 - ring) * (1 - under * np.array([0.8, 1.0, 0.9], np.float32))
    if not male and random.random() < 0.4:
        colour = tone * random.uniform(0.3, 0.9, 3).astype(np.float32)
        for corner in (36, 42):
            u, v = points[corner : corner + 6].mean(0)
            lid = bump(float(u), float(v) + 0.012, 0.045, 0.009)[..., None] * random.uniform(0.2, 0.6)
            atlas = np.asarray(atlas * (1 - lid) + colour * lid, np.float32)
    return np.asarray(atlas, np.float32)


def with_lips(
    random: np.random.Generator, atlas: Image, tone: NDArray[np.float32], darkness: float,
    points: NDArray[np.float32], male: bool,
) -> tuple[Image, Image]:  # fmt: skip
    """The atlas with lips, some made up; and the mask of the lips, float32 ``(SIZE, SIZE)``, 0..1."""
    outline = smooth_curve(np.vstack([points[48:60], points[48:49]]), 80)
    mask = fill_region(outline, random.uniform(1.6, 4.0))
    colour = tone * np.array(
        [random.uniform(0.84, 1.02), random.uniform(0.58, 0.86), random.uniform(0.62, 0.88)], np.float32
    )
    strength = random.uniform(0.35, 0.95)
    if not male and random.random() < 0.38:
        colour = np.array(
            [random.uniform(0.4, 0.85), random.uniform(0.08, 0.4), random.uniform(0.15, 0.45)], np.float32
        )
        colour = colour * (1 - 0.35 * darkness)
        strength = random.uniform(0.5, 1.0)
    streaks = 1 + 0.05 * smooth_noise(random, 150, rows=24)[..., None]
    blend = mask[..., None] * strength
    atlas = np.asarray(atlas * (1 - blend) + colour * streaks * blend, np.float32)
    # Closed lips meet in a shadow, which is not a gap between them.
    seam = strokes([smooth_curve(points[60:65], 60)], int(random.integers(1, 4)))[..., None]
    return np.asarray(atlas * (1 - seam * random.uniform(0, 0.6)), np.float32), mask


def with_marks(random: np.random.Generator, atlas: Image, tone: NDArray[np.float32]) -> Image:
    """The atlas with moles and, on some, freckles."""
    marked = np.ascontiguousarray(atlas)
    dark = [float(channel) for channel in tone * np.array([0.5, 0.4, 0.38])]
    for _ in range(int(random.integers(0, 9))):
        centre = (int(random.uniform(90, 420)), int(random.uniform(60, 380)))
        cv2.circle(marked, centre, int(random.integers(1, 3)), dark, -1, cv2.LINE_AA)
    if random.random() < 0.18:
        spots = (smooth_noise(random, 130) > random.uniform(1.5, 2.2)).astype(np.float32)
        spots = cv2.GaussianBlur(spots, (0, 0), 0.8) * (bump(0.5, 0.6, 0.2, 0.09) * random.uniform(0.2, 0.5))
        marked = marked * (1 - spots[..., None] * np.array([0.25, 0.45, 0.55], np.float32))
    return np.asarray(marked, np.float32)
