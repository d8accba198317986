"""Stubble, beards and moustaches in the face atlas."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import SIZE, smooth_noise
from edgeau_training.synth.drawing import Image

__all__ = ["with_beard"]


def with_beard(
    random: np.random.Generator,
    atlas: Image,
    hair: NDArray[np.float32],
    points: NDArray[np.float32],
    lips: Image,
) -> Image:
    """The atlas with stubble or a beard of a hair colour ``(3,)``; lips: mask ``(SIZE, SIZE)`` that stays free."""
    axis = np.arange(SIZE, dtype=np.float32) / (SIZE - 1)
    u, v = np.meshgrid(axis, 1 - axis)
    jaw = np.interp(u, points[0:17, 0], points[0:17, 1])
    cheek = np.clip(
        (np.interp(np.abs(u - 0.5), (0.0, 0.12, 0.2, 0.33), (0.44, 0.44, 0.48, 0.60)) - v) * 22, 0, 1
    )
    cheek *= np.clip((v - (jaw - 0.11)) * 14, 0, 1)
    moustache = np.clip(1 - np.abs(v - 0.522 + 0.10 * np.abs(u - 0.5)) * 60, 0, 1) * np.clip(
        (0.115 - np.abs(u - 0.5)) * 30, 0, 1
    )
    goatee = (
        np.clip((0.09 - np.abs(u - 0.5)) * 25, 0, 1)
        * np.clip((0.37 - v) * 30, 0, 1)
        * np.clip((v - 0.2) * 10, 0, 1)
    )
    kind = random.random()
    area = (
        np.maximum(cheek, moustache)
        if kind < 0.6
        else np.maximum(goatee, moustache)
        if kind < 0.82
        else moustache
    )
    area = area * (1 - np.clip(lips * 1.6, 0, 1)) * np.clip(1 + 0.3 * smooth_noise(random, 12), 0.2, 1)
    density = random.uniform(0.08, 0.45) if random.random() < 0.6 else random.uniform(0.5, 0.95)
    strands = np.clip(0.65 + 0.5 * smooth_noise(random, 256, rows=170), 0, 1)
    cover = cv2.GaussianBlur((area * strands * density).astype(np.float32), (0, 0), 0.7)[..., None]
    return np.asarray(atlas * (1 - cover) + hair * 0.9 * cover, np.float32)
