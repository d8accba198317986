"""Hair of the face in its atlas: eyebrows drawn hair by hair, stubble, beards and moustaches."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import SIZE, pixels, smooth_noise
from edgeau_training.synth.drawing import Image, blur, empty_mask

__all__ = ["brow_mask", "with_beard"]

HAIRS = 420  # of an eyebrow, at most


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
