"""Occluders between the camera and the face: a hand, a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.drawing import Image, blend, blur, empty_mask, polygon

__all__ = ["draw_hand", "draw_mask"]


def draw_hand(
    random: np.random.Generator, image: Image, tone: NDArray[np.float32], jaw: NDArray[np.float32]
) -> None:
    """Draw fingers and a palm that reach over the edge of the face, in place.

    Args:
        random: stream.
        image: float32 ``(S, S, 3)``, linear RGB; changed.
        tone: ``(3,)``, display RGB of the skin.
        jaw: ``(N, 2)``, outline of the face, pixels.
    """
    size = image.shape[0]
    mask, shade = empty_mask(size), empty_mask(size)
    target = jaw[random.integers(len(jaw))] + random.normal(0, 0.03, 2) * size
    outward = target - jaw.mean(0)
    outward = outward / (np.linalg.norm(outward) + 1e-6)
    root = target + outward * random.uniform(0.12, 0.3) * size
    width = random.uniform(0.04, 0.06) * size
    fingers = int(random.integers(2, 5))
    across = np.array([-outward[1], outward[0]])
    for finger in range(fingers):
        offset = across * (finger - (fingers - 1) / 2) * width * 1.15
        tip = target + offset - outward * random.uniform(0.02, 0.12) * size
        start, end = ([int(v * 8) for v in place] for place in (root + offset * 1.3, tip))
        cv2.line(mask, start, end, (255.0,), int(width), cv2.LINE_AA, 3)
        light = float(random.integers(150, 255))
        cv2.line(shade, start, end, (light,), int(width * 0.6), cv2.LINE_AA, 3)
    palm = [int(v) for v in root + outward * width * 2]
    cv2.circle(mask, palm, int(width * 0.7 * fingers), (255.0,), -1, cv2.LINE_AA)
    relief = blur(shade, width / 5).astype(np.float32) / 255
    lit = random.uniform(0.5, 1.1)
    colour = (np.asarray(tone, np.float32) ** 2.0) * lit * (0.45 + 0.65 * relief)[..., None]
    blend(image, blur(mask, 0.8), colour)


def draw_mask(random: np.random.Generator, image: Image, points: NDArray[np.float32]) -> None:
    """Draw a face mask over nose, mouth and chin, in place; points ``(68, 2)``, pixels of the iBUG points."""
    top = points[28:29] + (points[29:30] - points[28:29]) * random.uniform(0, 1)
    mask = empty_mask(image.shape[0])
    polygon(mask, np.vstack([points[2:15], top]))
    if random.random() < 0.5:
        colour = random.uniform(0.05, 0.9, 3) ** 1.5
    else:
        colour = np.array([0.55, 0.7, 0.85]) * random.uniform(0.5, 1)
    ramp = np.linspace(1.1, 0.7, image.shape[0], dtype=np.float32)[:, None, None]
    blend(image, blur(mask, 1.2), colour.astype(np.float32) * ramp)
