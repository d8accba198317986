"""Expression-driven wrinkles: height maps in the face atlas that grow with the rig's coefficients.

Real AUs 4, 6, 7, 9, 14 live by folds that the rig's shapes lack. Where each fold lies follows the FACS manual's
description of appearance changes; shapes, counts and depths are ours and vary from skin to skin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import SIZE, Image, bump, smooth_curve, smooth_noise, strokes


@dataclass(frozen=True)
class Wrinkle:
    """A height patch (h, w) float32 cm at rows top.., columns left.. of the atlas, driven by coefficients."""

    top: int
    left: int
    patch: Image
    drivers: Mapping[str, float]


def wrinkles_of(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    """Return the wrinkles of one skin.

    points (68, 2): u, v of the iBUG points in the atlas; depth: the skin's readiness to fold, about 0.3..1.5 (age).
    """
    found: list[Wrinkle] = []
    found += _forehead(random, points, depth)
    found += _frown(random, points, depth)
    for side in (1, -1):
        for maker in (_eye, _nose, _cheek, _mouth_corner):
            found += maker(random, points, depth, side)
    return found + _chin_and_lips(random, points, depth)


def wrinkled_height(base: Image, wrinkles: list[Wrinkle], coefficients: Mapping[str, float]) -> Image:
    """Return the height map (SIZE, SIZE) float32 cm: base plus every wrinkle at its strength."""
    height = base.copy()
    for wrinkle in wrinkles:
        strength = sum(
            max(0.0, coefficients.get(name, 0.0)) * weight for name, weight in wrinkle.drivers.items()
        )
        if strength > 0.03:
            rows, columns = wrinkle.patch.shape
            window = height[wrinkle.top : wrinkle.top + rows, wrinkle.left : wrinkle.left + columns]
            window += wrinkle.patch * np.float32(min(strength, 1.3))
    return height


def grooves(lines: list[NDArray[np.float32]], width: float, thickness: int = 1) -> Image:
    """Return (SIZE, SIZE) float32: grooves of depth about 1 with a low ridge on both sides; width in pixels."""
    drawn = strokes(lines, thickness)
    groove = np.asarray(cv2.GaussianBlur(drawn, (0, 0), width), np.float32)
    ridge = np.asarray(cv2.GaussianBlur(drawn, (0, 0), 2.6 * width), np.float32)
    peak = max(float(groove.max()), 1e-6)
    return np.asarray((0.9 * ridge - groove) / peak, np.float32)


def _cut(height: Image, drivers: Mapping[str, float]) -> list[Wrinkle]:
    used = np.abs(height) > 0.02 * max(float(np.abs(height).max()), 1e-6)
    rows, columns = np.flatnonzero(used.any(1)), np.flatnonzero(used.any(0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    return [Wrinkle(top, left, height[top : rows[-1] + 1, left : columns[-1] + 1].copy(), drivers)]


def _side(name: str, side: int) -> str:
    return f"{name}_L" if side > 0 else f"{name}_R"


def _mirror(points: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    mirrored = points.copy()
    if side < 0:
        mirrored[:, 0] = 1 - mirrored[:, 0]
    return mirrored


def _forehead(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    brow = float(points[24, 1])
    count, first = int(random.integers(2, 6)), brow + random.uniform(0.022, 0.034)
    lines = []
    for row in range(count):
        u = np.linspace(0.27, 0.73, 11)
        arch = random.normal(0, 0.004) + 0.010 * np.cos((u - 0.5) * 9) * random.uniform(0.2, 1)
        v = first + row * random.uniform(0.017, 0.026) + arch + random.normal(0, 0.0022, 11)
        keep = slice(int(random.integers(0, 3)), 11 - int(random.integers(0, 3)))
        lines.append(smooth_curve(np.stack([u, v], 1)[keep], 40))
    height = grooves(lines, random.uniform(1.5, 2.3)) * (0.075 * depth)
    u = np.linspace(0, 1, SIZE, dtype=np.float32)
    middle = np.exp(-(((u - 0.5) / 0.075) ** 2) / 2)
    outer = np.clip((np.abs(u - 0.5) - 0.06) / 0.06, 0, 1)
    found = _cut(
        height * middle,
        {"browInnerUp_L": 0.5, "browInnerUp_R": 0.5, "browOuterUp_L": 0.15, "browOuterUp_R": 0.15},
    )
    found += _cut(height * outer * (u > 0.5), {"browOuterUp_L": 1.0, "browInnerUp_L": 0.2})
    return found + _cut(height * outer * (u < 0.5), {"browOuterUp_R": 1.0, "browInnerUp_R": 0.2})


def _frown(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    found: list[Wrinkle] = []
    low, high = float(points[27, 1]) + 0.035, float(points[22, 1]) + random.uniform(0.02, 0.04)
    for side in (1, -1):
        inner = 0.5 + side * random.uniform(0.010, 0.020)
        lines = [
            smooth_curve(
                np.array(
                    [
                        [inner, low],
                        [inner + side * 0.004, (low + high) / 2],
                        [inner + side * random.uniform(0.004, 0.016), high],
                    ]
                )
            )
        ]
        if random.random() < 0.4:
            second = inner + side * random.uniform(0.012, 0.02)
            lines.append(smooth_curve(np.array([[second, low + 0.02], [second + side * 0.005, high]]), 12))
        fold = grooves(lines, random.uniform(1.7, 2.6)) * 0.10 * depth
        bulge = (
            bump(0.5 + side * 0.055, float(points[22, 1]) - 0.004, 0.03, 0.013) * 0.13 * (0.5 + 0.5 * depth)
        )
        found += _cut(fold + bulge, {_side("browDown", side): 1.0})
    line = smooth_curve(np.array([[0.468, low - 0.012], [0.5, low - 0.018], [0.532, low - 0.012]]))
    crease = grooves([line], 2.0) * 0.06 * depth
    return found + _cut(
        crease, {"browDown_L": 0.4, "browDown_R": 0.4, "noseSneer_L": 0.25, "noseSneer_R": 0.25}
    )


def _eye(random: np.random.Generator, points: NDArray[np.float32], depth: float, side: int) -> list[Wrinkle]:
    corner = points[45]  # the subject's left outer canthus; the right side is mirrored
    rays = []
    for angle in np.linspace(-0.75, 0.6, int(random.integers(3, 6))) + random.normal(0, 0.07):
        start, end = random.uniform(0.014, 0.024), random.uniform(0.05, 0.085)
        direction = np.array([np.cos(angle), np.sin(angle) * 0.8])
        bend = np.array([0, random.normal(-0.002, 0.003)])
        rays.append(
            smooth_curve(
                corner + np.stack([direction * start, direction * (start + end) / 2 + bend, direction * end])
            )
        )
    feet = grooves([_mirror(ray, side) for ray in rays], random.uniform(1.3, 1.9)) * 0.085 * depth
    found = _cut(feet, {_side("cheekSquint", side): 1.0, _side("eyeSquint", side): 0.12})
    arc = np.array([[0.600, 0.688], [0.628, 0.676], [0.660, 0.678], [0.690, 0.690]]) + random.normal(
        0, 0.002, (4, 2)
    )
    pouch = grooves([_mirror(smooth_curve(arc), side)], random.uniform(2.0, 2.8)) * 0.085 * depth
    raised = bump(0.5 + side * 0.155, 0.635, 0.055, 0.03) * 0.16
    found += _cut(pouch + raised, {_side("cheekSquint", side): 1.0})
    lid = np.array([[0.612, 0.703], [0.640, 0.697], [0.668, 0.703]]) + random.normal(0, 0.0012, (3, 2))
    crease = (
        grooves([_mirror(smooth_curve(lid), side)], random.uniform(1.2, 1.7)) * 0.07 * (0.4 + 0.6 * depth)
    )
    swelling = bump(0.5 + side * 0.142, 0.706, 0.03, 0.004) * 0.05
    return found + _cut(crease + swelling, {_side("eyeSquint", side): 1.0, _side("eyeBlink", side): 0.12})


def _nose(random: np.random.Generator, points: NDArray[np.float32], depth: float, side: int) -> list[Wrinkle]:
    lines = []
    top = float(points[27, 1])
    for row in range(int(random.integers(2, 5))):
        v = top - 0.012 - row * random.uniform(0.016, 0.022)
        lines.append(
            smooth_curve(
                np.array([[0.504, v + 0.006], [0.525, v], [0.548, v + random.uniform(-0.012, 0.012)]])
            )
        )
    root = grooves([_mirror(line, side) for line in lines], random.uniform(1.5, 2.2)) * 0.085 * depth
    wing = np.array([[0.545, 0.60], [0.572, 0.575], [0.582, 0.55]]) + random.normal(0, 0.002, (3, 2))
    alar = grooves([_mirror(smooth_curve(wing), side)], 2.2) * 0.08 * (0.4 + 0.6 * depth)
    return _cut(root, {_side("noseSneer", side): 1.0}) + _cut(
        alar, {_side("noseSneer", side): 0.8, _side("mouthUpperUp", side): 0.6}
    )


def _cheek(
    random: np.random.Generator, points: NDArray[np.float32], depth: float, side: int
) -> list[Wrinkle]:
    path = np.array([[0.572, 0.575], [0.598, 0.54], [0.622, 0.495], [0.636, 0.455], [0.638, 0.425]])
    path += np.array([random.normal(0, 0.003), 0]) + random.normal(0, 0.0015, path.shape)
    upper, lower = _mirror(smooth_curve(path[:3]), side), _mirror(smooth_curve(path[1:]), side)
    width = random.uniform(2.2, 3.2)
    high = grooves([upper], width) * 0.11 * (0.35 + 0.65 * depth)
    low = grooves([lower], width) * 0.11 * (0.35 + 0.65 * depth)
    pull = {_side("mouthSmile", side): 0.6, _side("mouthUpperUp", side): 1.0, _side("noseSneer", side): 0.7}
    found = _cut(high, pull)
    return found + _cut(low, {_side("mouthSmile", side): 0.9, _side("mouthUpperUp", side): 0.3})


def _mouth_corner(
    random: np.random.Generator, points: NDArray[np.float32], depth: float, side: int
) -> list[Wrinkle]:
    corner = points[54]
    u, v = float(corner[0]) + 0.020, float(corner[1])
    pit = (
        -bump(0.5 + side * (u - 0.5), v + 0.004, 0.009, 0.012) * 0.20
        + bump(0.5 + side * (u - 0.477), v, 0.016, 0.022) * 0.07
    )
    bow = np.array([[u + 0.004, v + 0.035], [u + 0.014, v + 0.004], [u + 0.006, v - 0.03]])
    dimple = pit * (0.6 + 0.4 * depth) + grooves([_mirror(smooth_curve(bow), side)], 2.0) * 0.08 * (
        0.4 + 0.6 * depth
    )
    found = _cut(dimple, {_side("mouthDimple", side): 1.0})
    fold = np.array([[u - 0.012, v - 0.004], [u + 0.002, v - 0.035], [u + 0.010, v - 0.075]]) + random.normal(
        0, 0.002, (3, 2)
    )
    marionette = (
        grooves([_mirror(smooth_curve(fold), side)], random.uniform(2.0, 2.8)) * 0.10 * (0.35 + 0.65 * depth)
    )
    pouch = bump(0.5 + side * (u - 0.508), v - 0.045, 0.014, 0.016) * 0.10
    found += _cut(marionette + pouch, {_side("mouthFrown", side): 1.0})
    tense = []
    for row in range(int(random.integers(1, 4))):
        x = u + 0.012 + row * 0.013
        tense.append(smooth_curve(np.array([[x, v + 0.022], [x + 0.006, v - 0.015], [x + 0.003, v - 0.05]])))
    sidelong = grooves([_mirror(line, side) for line in tense], 1.8) * 0.07 * depth
    found += _cut(sidelong, {_side("mouthStretch", side): 1.0})
    knot = bump(0.5 + side * (u - 0.5), v - 0.012, 0.012, 0.012) * 0.09
    return found + _cut(knot, {_side("mouthPress", side): 1.0})


def _chin_and_lips(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    chin = bump(0.5, 0.318, 0.038, 0.019)
    pebbles = smooth_noise(random, 44) * chin * 0.030 * (0.5 + 0.5 * depth)
    arch = smooth_curve(
        np.array([[0.448, 0.330], [0.475, 0.346], [0.5, 0.349], [0.525, 0.346], [0.552, 0.330]])
    )
    boss = pebbles + grooves([arch], 2.4) * 0.08 + chin * 0.10
    found = _cut(boss, {"mouthShrugLower": 1.0})
    top, bottom = float(points[51, 1]), float(points[57, 1])
    across = np.linspace(-0.075, 0.075, int(random.integers(7, 12))) + random.normal(0, 0.003)
    above = [
        np.array([[0.5 + x, top + 0.004 - abs(x) * 0.45], [0.5 + x * 1.25, top + 0.034 - abs(x) * 0.35]])
        for x in across
    ]
    below = [
        np.array([[0.5 + x, bottom - 0.004 + abs(x) * 0.4], [0.5 + x * 1.2, bottom - 0.022 + abs(x) * 0.4]])
        for x in across
    ]
    red = [
        np.array([[0.5 + x * 0.9, bottom + 0.005 + abs(x) * 0.3], [0.5 + x * 0.9, bottom + 0.03]])
        for x in across
    ]
    rays = [line.astype(np.float32) for line in above + below + red]
    pursed = grooves(rays, 1.5) * 0.06 * (0.4 + 0.6 * depth)
    found += _cut(pursed, {"mouthPucker": 1.0, "lipTighten": 0.8, "mouthFunnel": 0.4})
    ring = bump(0.5, top + 0.020, 0.06, 0.010) * 0.07 + bump(0.5, bottom - 0.016, 0.05, 0.010) * 0.10
    return found + _cut(ring, {"mouthPress_L": 0.5, "mouthPress_R": 0.5})
