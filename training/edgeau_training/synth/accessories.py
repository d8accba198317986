"""Things on and before the face: glasses, strands over the forehead, hands, masks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Image = NDArray[np.float32]


def _blend(
    image: Image, mask: NDArray[np.uint8], colour: NDArray[np.floating], strength: float = 1.0
) -> None:
    alpha = (mask.astype(np.float32) * np.float32(strength / 255))[..., None]
    image *= 1 - alpha
    image += alpha * np.asarray(colour, np.float32)


def draw_glasses(
    random: np.random.Generator, image: Image, posed: Points, project: Points, landmarks: NDArray[np.int32]
) -> None:
    """Draw a pair of glasses onto image (S, S, 3), in place.

    posed (V, 3): camera coordinates in cm; project (3, 3)-like row [scale, x, y]: see glasses_to_pixels; landmarks
    (68,) vertex numbers. The frame is a 3-D curve before the eyes, so it turns with the head.
    """
    size = image.shape[0]
    eyes = [posed[landmarks[36:42]].mean(0), posed[landmarks[42:48]].mean(0)]
    nose = posed[landmarks[27]]
    across = eyes[1] - eyes[0]
    apart = float(np.linalg.norm(across))
    across = across / apart
    up = nose - posed[landmarks[33]]
    up = up - across * float(up @ across)
    up = up / np.linalg.norm(up)
    out = np.cross(across, up)
    half, tall = apart * random.uniform(0.36, 0.44), apart * random.uniform(0.24, 0.36)
    power = random.uniform(2.0, 5.0)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring_x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power) * half
    ring_y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power) * tall
    drop = random.uniform(-0.5, 0.1)
    colour = (
        (random.uniform(0, 0.5, 3) ** 2.2)
        if random.random() < 0.4
        else np.full(3, random.uniform(0.003, 0.05))
    )
    frame, lens = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    thick = max(1, int(round(size / 256 * random.uniform(1.0, 4.5))))
    ends = []
    for eye, side in ((eyes[0], -1), (eyes[1], 1)):
        centre = eye + out * 1.5 + up * drop
        bow = -0.12 * np.abs(ring_x / half) * (np.sign(ring_x) == side)
        ring = centre + ring_x[:, None] * across + ring_y[:, None] * up + bow[:, None] * out * 3
        drawn = [np.round(_pixels(ring, project) * 8).astype(np.int32)]
        cv2.fillPoly(lens, drawn, 255, cv2.LINE_AA, 3)
        cv2.polylines(frame, drawn, True, 255, thick, cv2.LINE_AA, 3)
        ends.append(
            (
                centre - side * across * half + up * tall * 0.25,
                centre + side * across * half + up * tall * 0.3 - out * 0.36,
            )
        )
        temple = np.stack([ends[-1][1], ends[-1][1] - out * 8 + side * across * 0.7])
        _draw_temple(frame, temple, project, thick, side, out)
    bridge = np.stack([ends[0][0], (ends[0][0] + ends[1][0]) / 2 + up * 0.15, ends[1][0]])
    cv2.polylines(
        frame, [np.round(_pixels(bridge, project) * 8).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 3
    )
    _lens(random, image, lens)
    _blend(image, frame, colour, random.uniform(0.85, 1.0))


def _draw_temple(
    frame: NDArray[np.uint8], temple: Points, project: Points, thick: int, side: int, out: Points
) -> None:
    # The arm is visible only where the head turns that side towards the camera.
    if float(out[0]) * side < 0.05:
        cv2.polylines(
            frame,
            [np.round(_pixels(temple, project) * 8).astype(np.int32)],
            False,
            255,
            thick,
            cv2.LINE_AA,
            3,
        )


def _lens(random: np.random.Generator, image: Image, lens: NDArray[np.uint8]) -> None:
    kind = random.random()
    if kind < 0.08:
        _blend(image, lens, random.uniform(0.0, 0.06, 3), random.uniform(0.35, 0.75))
    elif kind < 0.45:
        size = image.shape[0]
        streak = np.zeros((size, size), np.uint8)
        x = int(random.uniform(0.2, 0.8) * size)
        cv2.line(
            streak,
            (x, 0),
            (x + int(random.normal(0, 0.3) * size), size),
            255,
            int(random.uniform(0.02, 0.12) * size),
        )
        glare = cv2.GaussianBlur(streak, (0, 0), size / 64)
        _blend(image, np.minimum(glare, lens), random.uniform(0.5, 1.0, 3), random.uniform(0.05, 0.35))


def _pixels(points: Points, project: Points) -> Points:
    focal, distance, x, y = project
    scale = focal * distance / (distance - points[:, 2])
    return np.stack([x + points[:, 0] * scale, y - points[:, 1] * scale], 1)


def draw_hand(random: np.random.Generator, image: Image, tone: NDArray[np.float32], face: Points) -> None:
    """Draw fingers and a palm in skin colour over part of the face; face (N, 2) outline pixels."""
    size = image.shape[0]
    mask, shade = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    target = face[random.integers(len(face))] + random.normal(0, 0.03, 2) * size
    centre = face.mean(0)
    outward = target - centre
    outward = outward / (np.linalg.norm(outward) + 1e-6)
    root = target + outward * random.uniform(0.12, 0.3) * size
    width = random.uniform(0.04, 0.06) * size
    fingers = int(random.integers(2, 5))
    across = np.array([-outward[1], outward[0]])
    for finger in range(fingers):
        offset = across * (finger - (fingers - 1) / 2) * width * 1.15
        tip = target + offset - outward * random.uniform(0.02, 0.12) * size
        ends = [tuple(int(v * 8) for v in root + offset * 1.3), tuple(int(v * 8) for v in tip)]
        cv2.line(mask, ends[0], ends[1], 255, int(width), cv2.LINE_AA, 3)
        cv2.line(shade, ends[0], ends[1], int(random.integers(150, 255)), int(width * 0.6), cv2.LINE_AA, 3)
    cv2.circle(
        mask,
        tuple(int(v) for v in root + outward * width * 2),
        int(width * 0.7 * fingers),
        255,
        -1,
        cv2.LINE_AA,
    )
    relief = cv2.GaussianBlur(shade, (0, 0), width / 5).astype(np.float32) / 255
    light = random.uniform(0.5, 1.1)
    colour = (np.asarray(tone, np.float32) ** 2.0) * light * (0.45 + 0.65 * relief)[..., None]
    _blend(image, cv2.GaussianBlur(mask, (0, 0), 0.8), colour)


def draw_mask(random: np.random.Generator, image: Image, points: Points) -> None:
    """Draw a face mask over nose, mouth and chin; points (68, 2) pixels of the iBUG points."""
    outline = np.vstack(
        [points[2:15], points[28:29] + (points[29:30] - points[28:29]) * random.uniform(0, 1)]
    )
    size = image.shape[0]
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
    colour = (
        random.uniform(0.05, 0.9, 3) ** 1.5
        if random.random() < 0.5
        else np.array([0.55, 0.7, 0.85]) * random.uniform(0.5, 1)
    )
    ramp = np.linspace(1.1, 0.7, size, dtype=np.float32)[:, None, None]
    _blend(image, cv2.GaussianBlur(mask, (0, 0), 1.2), colour.astype(np.float32) * ramp)
