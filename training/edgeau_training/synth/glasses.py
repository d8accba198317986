"""Glasses: a frame in space before the eyes, so that it turns with the head; sometimes tinted or glaring."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.drawing import Image, Mask, blend, blur, empty_mask, polygon, polyline
from edgeau_training.synth.scene import Scene

__all__ = ["draw_glasses"]

_BEFORE_EYES = 1.5  # cm
_TEMPLE_LENGTH = 8  # cm
_CORNERS = 48  # of a rim's polygon


def draw_glasses(
    random: np.random.Generator, image: Image, points: NDArray[np.float32], scene: Scene
) -> None:
    """Draw a pair of glasses, in place.

    Args:
        random: stream.
        image: float32 ``(S, S, 3)``, linear RGB; changed.
        points: ``(68, 3)``, iBUG points in camera axes, cm.
        scene: framing.
    """
    size = image.shape[0]
    eyes = [points[36:42].mean(0), points[42:48].mean(0)]
    across, up, out, apart = _axes(points, eyes)
    ring_x, ring_y, tall, half = _rim(random, apart)
    drop = random.uniform(-0.5, 0.1)
    if random.random() < 0.4:
        colour = random.uniform(0, 0.5, 3) ** 2.2
    else:
        colour = np.full(3, random.uniform(0.003, 0.05))
    frame, lens = empty_mask(size), empty_mask(size)
    thick = max(1, round(size / 256 * random.uniform(1.0, 4.5)))
    inner = []
    for eye, side in zip(eyes, (-1, 1), strict=True):
        centre = eye + out * _BEFORE_EYES + up * drop
        bow = -0.12 * np.abs(ring_x / half) * (np.sign(ring_x) == side)
        ring = centre + ring_x[:, None] * across + ring_y[:, None] * up + bow[:, None] * out * 3
        polygon(lens, _pixels(ring, scene))
        polyline(frame, _pixels(ring, scene), thick, closed=True)
        inner.append(centre - side * across * half + up * tall * 0.25)
        hinge = centre + side * across * half + up * tall * 0.3 - out * 0.36
        # The arm is visible only where the head turns that side towards the camera.
        if float(out[0]) * side < 0.05:
            temple = np.stack([hinge, hinge - out * _TEMPLE_LENGTH + side * across * 0.7])
            polyline(frame, _pixels(temple, scene), thick)
    bridge = np.stack([inner[0], (inner[0] + inner[1]) / 2 + up * 0.15, inner[1]])
    polyline(frame, _pixels(bridge, scene), thick)
    _tint(random, image, lens)
    blend(image, frame, colour, random.uniform(0.85, 1.0))


def _axes(
    points: NDArray[Any], eyes: list[NDArray[Any]]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], float]:
    """Unit axes of the face (to the subject's left, up, out) and the distance of the eyes, cm."""
    across = eyes[1] - eyes[0]
    apart = float(np.linalg.norm(across))
    across = across / apart
    up = points[27] - points[33]
    up = up - across * float(up @ across)
    up = up / np.linalg.norm(up)
    return across, up, np.cross(across, up), apart


def _rim(random: np.random.Generator, apart: float) -> tuple[NDArray[Any], NDArray[Any], float, float]:
    """A superellipse, round to square: x, y (N,), its half height and half width, cm."""
    half, tall = apart * random.uniform(0.36, 0.44), apart * random.uniform(0.24, 0.36)
    power = random.uniform(2.0, 5.0)
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power) * half
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power) * tall
    return x, y, tall, half


def _tint(random: np.random.Generator, image: Image, lens: Mask) -> None:
    kind, size = random.random(), image.shape[0]
    if kind < 0.08:
        blend(image, lens, random.uniform(0.0, 0.06, 3), random.uniform(0.35, 0.75))
    elif kind < 0.45:
        streak = empty_mask(size)
        top = int(random.uniform(0.2, 0.8) * size)
        bottom = top + int(random.normal(0, 0.3) * size)
        cv2.line(streak, (top, 0), (bottom, size), (255.0,), int(random.uniform(0.02, 0.12) * size))
        glare = blur(streak, size / 64)
        blend(image, np.minimum(glare, lens), random.uniform(0.5, 1.0, 3), random.uniform(0.05, 0.35))


def _pixels(points: NDArray[Any], scene: Scene) -> NDArray[Any]:
    # In the vertices' own precision: half a unit of the last place moves an eighth of a pixel now and then.
    focal, distance, x, y = np.array([scene.focal, scene.distance, *scene.centre], np.float32)
    scale = focal * distance / (distance - points[:, 2])
    return np.stack([x + points[:, 0] * scale, y - points[:, 1] * scale], 1)
