"""Hair drawn strand by strand: what falls beside the face, and a fringe over the forehead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.drawing import Image, empty_mask, polyline

__all__ = ["draw_fringe", "draw_long_hair"]

_STRANDS = 240  # of long hair


def draw_long_hair(
    random: np.random.Generator, image: Image, points: NDArray[np.float32], colour: NDArray[np.float32]
) -> None:
    """Draw hair that falls behind and beside the head; to be drawn before the head is.

    Args:
        random: stream.
        image: float32 ``(S, S, 3)``, linear RGB; changed.
        points: ``(68, 2)``, pixels of the iBUG points.
        colour: ``(3,)``, display RGB.
    """
    middle, width = points[27], float(np.linalg.norm(points[16] - points[0]))
    start = np.linspace(-0.62, 0.62, _STRANDS) + random.normal(0, 0.02, _STRANDS)
    angle = start / 0.62 * 1.45
    roots = middle + np.stack([np.sin(angle) * 0.56, -0.15 - np.cos(angle) * 0.45], 1) * width
    spread, fall = random.uniform(0.5, 0.85), random.uniform(0.35, 1.25)
    side = np.sign(start) * (0.2 + 0.8 * np.abs(start) / 0.62)
    across = side * spread + random.normal(0, 0.04, _STRANDS)
    tips = middle + np.stack([across, fall + random.normal(0, 0.05, _STRANDS)], 1) * width
    _paint(random, image, (roots, tips), colour * 0.85, image.shape[0] / 110, 0.08)


def draw_fringe(
    random: np.random.Generator, image: Image, points: NDArray[np.float32], colour: NDArray[np.float32]
) -> None:
    """Draw strands that fall over the forehead, sometimes over a brow; arguments as for draw_long_hair."""
    width = float(np.linalg.norm(points[16] - points[0]))
    middle = (points[21] + points[22]) / 2
    up = points[27] - points[33]
    up = up / (np.linalg.norm(up) + 1e-6)
    across = np.array([-up[1], up[0]])
    count = int(random.integers(10, 90))
    low, high = sorted(random.uniform(-0.5, 0.5, 2))
    place = random.uniform(low - 0.05, high + 0.05, count)
    roots = middle + up * width * random.uniform(0.48, 0.62) + across * (place * width)[:, None] * 0.8
    length = random.uniform(0.15, 0.5) * width * random.uniform(0.8, 1.1, count)
    slant = random.normal(0, 0.35)
    sideways = across * (length * slant + random.normal(0, 0.03, count) * width)[:, None]
    tips = roots - up * length[:, None] + sideways
    _paint(random, image, (roots, tips), colour, image.shape[0] / 260, 0.12)


def _paint(
    random: np.random.Generator,
    image: Image,
    strands: tuple[NDArray[Any], NDArray[Any]],
    colour: NDArray[np.float32],
    width: float,
    bend: float,
) -> None:
    """Paint bent strands from roots to tips (N, 2); each has its own thickness and shade."""
    cover, tone = empty_mask(*image.shape[:2]), empty_mask(*image.shape[:2])
    steps = np.linspace(0, 1, 9)[:, None]
    roots, tips = (ends.astype(np.float32) for ends in strands)
    for root, tip in zip(roots, tips, strict=True):
        sideways = np.array([-(tip - root)[1], (tip - root)[0]]) * random.normal(0, bend)
        curve = root + (tip - root) * steps + sideways * (steps * (1 - steps) * 2)
        thick = max(1, round(width * random.uniform(0.6, 1.5)))
        polyline(cover, curve, thick)
        polyline(tone, curve, max(1, thick - 1), int(random.integers(60, 255)))
    alpha = (cover.astype(np.float32) / 255)[..., None]
    linear = np.asarray(colour, np.float32) ** 2.0
    shade = (0.45 + 0.9 * tone.astype(np.float32) / 255)[..., None]
    image *= 1 - alpha
    image += alpha * linear * shade
