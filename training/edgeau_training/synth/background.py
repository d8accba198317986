"""Backgrounds behind the head: plain walls, soft gradients, rooms of blurred boxes, foliage-like clutter."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import smooth_noise


def sample_background(random: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return (size, size, 3) float32 linear RGB 0..1."""
    kind = random.random()
    base = _muted(random, random.uniform(0.02, 0.9, 3) ** 1.6)
    image = np.ones((size, size, 3), np.float32) * base.astype(np.float32)
    if kind < 0.2:
        ramp = np.linspace(random.uniform(0.5, 1), random.uniform(0.7, 1.4), size, dtype=np.float32)
        image *= ramp[:, None, None] if random.random() < 0.5 else ramp[None, :, None]
    elif kind < 0.45:
        image *= np.exp(random.uniform(0.1, 0.5) * smooth_noise(random, int(random.integers(2, 14)), size))[
            ..., None
        ]
        for channel in range(3):
            image[..., channel] *= np.exp(
                random.uniform(0, 0.15) * smooth_noise(random, int(random.integers(2, 6)), size)
            )
    else:
        _clutter(random, image)
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.8, 9.0) * size / 256), np.float32)
    return np.clip(image, 0, 1)


def _clutter(random: np.random.Generator, image: NDArray[np.float32]) -> None:
    size = image.shape[0]
    for _ in range(int(random.integers(4, 16))):
        colour = _muted(random, random.uniform(0, 1, 3) ** 2).tolist()
        x, y = (int(value) for value in random.uniform(-0.2 * size, size, 2))
        w, h = (int(value) for value in random.uniform(0.05, 0.6, 2) * size)
        shape = random.random()
        if shape < 0.55:
            cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1)
        elif shape < 0.8:
            cv2.circle(image, (x, y), max(2, w // 3), colour, -1, cv2.LINE_AA)
        else:
            cv2.line(
                image, (x, y), (x + w, y + h - size // 4), colour, int(random.integers(1, 9)), cv2.LINE_AA
            )


def _muted(random: np.random.Generator, colour: NDArray[np.float64]) -> NDArray[np.float64]:
    # Rooms are mostly grey and brown; vivid walls are the exception.
    share = random.beta(1.0, 2.2)
    return np.asarray(colour.mean() + (colour - colour.mean()) * share)
