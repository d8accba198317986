"""From linear light to what a webcam delivers: exposure, white balance, tone curve, blur, noise, compression."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Linear light above it is cut off before the picture is reduced, or a single glint pixel would stay white after it.
HIGHLIGHT = 1.6


def develop(random: np.random.Generator, image: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Return (size, size, 3) uint8 RGB of a linear picture (S, S, 3) float32 RGB."""
    reduced = cv2.resize(np.minimum(image, HIGHLIGHT), (size, size), interpolation=cv2.INTER_AREA)
    dim = random.random() < 0.1
    light = np.float32(random.uniform(0.08, 0.4) if dim else 1.0)
    picture = expose_picture(random, np.asarray(reduced, np.float32) * light)
    if dim:  # what a sensor adds when there is little to see
        picture = picture + random.standard_normal(picture.shape, dtype=np.float32) * np.float32(
            random.uniform(0.01, 0.06)
        )
    if random.random() < 0.2:
        picture = _low_resolution(random, picture)
    if random.random() < 0.35:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 1.3)), np.float32)
    if random.random() < 0.06:
        picture = _motion(random, picture)
    if random.random() < 0.10:
        picture = np.repeat(picture @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, 2)
    if random.random() < 0.2:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        picture = picture + np.float32(random.uniform(0.2, 0.9)) * (picture - soft)  # a webcam's sharpening
    picture = _noisy(random, picture)
    developed: NDArray[np.uint8] = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if random.random() < 0.5:
        developed = _compressed(random, developed)
    return developed


def expose_picture(random: np.random.Generator, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the display-referred picture (H, W, 3) float32, about 0..1, of a linear one."""
    white = np.clip(random.normal(1, (0.09, 0.03, 0.11)), 0.7, 1.35).astype(np.float32)
    lit = image * white * np.float32(np.exp(random.normal(0, 0.28)))
    # Soft shoulder, so that highlights roll off as in a camera.
    lit = np.clip(lit, 0, 4)
    lit = lit * (1 + lit / 9) / (1 + 0.55 * lit) * np.float32(1.18)
    power = 1 / random.uniform(1.9, 2.5)
    tone = np.power(np.clip(lit, 0, 1), np.float32(power))
    contrast = np.float32(random.uniform(0.85, 1.2))
    saturation = np.float32(random.uniform(0.65, 1.2))
    grey = tone.mean(2, keepdims=True)
    tone = grey + (tone - grey) * saturation
    return np.asarray((tone - 0.5) * contrast + 0.5 + np.float32(random.normal(0, 0.025)), np.float32)


def _low_resolution(random: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    size = picture.shape[0]
    small = max(24, int(size * random.uniform(0.2, 0.7)))
    reduced = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    mode = cv2.INTER_CUBIC if random.random() < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(reduced, (size, size), interpolation=mode), np.float32)


def _motion(random: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    length = int(random.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    angle = random.uniform(0, np.pi)
    middle, reach = (length - 1) / 2, (length - 1) / 2
    for step in np.linspace(-reach, reach, 2 * length):
        kernel[round(middle + step * np.sin(angle)), round(middle + step * np.cos(angle))] = 1
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)


def _noisy(random: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    strength = random.uniform(0, 0.035) if random.random() < 0.7 else 0.004
    grain = random.standard_normal(picture.shape, dtype=np.float32) * np.float32(strength)
    if random.random() < 0.4:
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), random.uniform(0.4, 0.9)), np.float32)
    return picture + grain


def _compressed(random: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    quality = int(random.integers(30, 95))
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
