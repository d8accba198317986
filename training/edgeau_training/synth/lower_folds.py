"""Folds of the lower face: nose (AU 9), nasolabial (10, 12), dimple (14), mouth corner (15, 20, 24), chin (17), lips (18, 23)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import SIZE, bump, smooth_curve, smooth_noise
from edgeau_training.synth.wrinkles import Wrinkle, cut, grooves, mirror_points, one_side

__all__ = ["cheek_folds", "chin_and_lip_folds", "mouth_corner_folds", "nose_folds"]


def nose_folds(
    random: np.random.Generator, points: NDArray[np.float32], depth: float, side: int
) -> list[Wrinkle]:
    """Wrinkles across the root of the nose and beside its wing, of one side (1 left, -1 right)."""
    lines = []
    top = float(points[27, 1])
    for row in range(int(random.integers(2, 5))):
        v = top - 0.012 - row * random.uniform(0.016, 0.022)
        lines.append(
            smooth_curve(
                np.array([[0.504, v + 0.006], [0.525, v], [0.548, v + random.uniform(-0.012, 0.012)]])
            )
        )
    root = grooves([mirror_points(line, side) for line in lines], random.uniform(1.5, 2.2)) * 0.085 * depth
    wing = np.array([[0.545, 0.60], [0.572, 0.575], [0.582, 0.55]]) + random.normal(0, 0.002, (3, 2))
    alar = grooves([mirror_points(smooth_curve(wing), side)], 2.2) * 0.08 * (0.4 + 0.6 * depth)
    return cut(root, {one_side("noseSneer", side): 1.0}) + cut(
        alar, {one_side("noseSneer", side): 0.8, one_side("mouthUpperUp", side): 0.6}
    )


def cheek_folds(
    random: np.random.Generator,
    _points: NDArray[np.float32],
    depth: float,
    side: int,
) -> list[Wrinkle]:
    """The nasolabial fold of one side (1 left, -1 right)."""
    path = np.array([[0.572, 0.575], [0.598, 0.54], [0.622, 0.495], [0.636, 0.455], [0.638, 0.425]])
    path += np.array([random.normal(0, 0.003), 0]) + random.normal(0, 0.0015, path.shape)
    upper, lower = mirror_points(smooth_curve(path[:3]), side), mirror_points(smooth_curve(path[1:]), side)
    width = random.uniform(2.2, 3.2)
    high = grooves([upper], width) * 0.11 * (0.35 + 0.65 * depth)
    low = grooves([lower], width) * 0.11 * (0.35 + 0.65 * depth)
    pull = {
        one_side("mouthSmile", side): 0.6,
        one_side("mouthUpperUp", side): 1.0,
        one_side("noseSneer", side): 0.7,
    }
    found = cut(high, pull)
    return found + cut(low, {one_side("mouthSmile", side): 0.9, one_side("mouthUpperUp", side): 0.3})


def mouth_corner_folds(
    random: np.random.Generator, points: NDArray[np.float32], depth: float, side: int
) -> list[Wrinkle]:
    """Dimple, mouth-corner fold, stretch lines and the knot of pressed lips, of one side (1 left, -1 right)."""
    corner = points[54]
    u, v = float(corner[0]) + 0.020, float(corner[1])
    pit = (
        -bump(0.5 + side * (u - 0.5), v + 0.004, 0.009, 0.012) * 0.20
        + bump(0.5 + side * (u - 0.477), v, 0.016, 0.022) * 0.07
    )
    bow = np.array([[u + 0.004, v + 0.035], [u + 0.014, v + 0.004], [u + 0.006, v - 0.03]])
    dimple = pit * (0.6 + 0.4 * depth) + grooves([mirror_points(smooth_curve(bow), side)], 2.0) * 0.08 * (
        0.4 + 0.6 * depth
    )
    found = cut(dimple, {one_side("mouthDimple", side): 1.0})
    fold = np.array([[u - 0.012, v - 0.004], [u + 0.002, v - 0.035], [u + 0.010, v - 0.075]]) + random.normal(
        0, 0.002, (3, 2)
    )
    marionette = (
        grooves([mirror_points(smooth_curve(fold), side)], random.uniform(2.0, 2.8))
        * 0.10
        * (0.35 + 0.65 * depth)
    )
    pouch = bump(0.5 + side * (u - 0.508), v - 0.045, 0.014, 0.016) * 0.10
    found += cut(marionette + pouch, {one_side("mouthFrown", side): 1.0})
    tense = []
    for row in range(int(random.integers(1, 4))):
        x = u + 0.012 + row * 0.013
        tense.append(smooth_curve(np.array([[x, v + 0.022], [x + 0.006, v - 0.015], [x + 0.003, v - 0.05]])))
    sidelong = grooves([mirror_points(line, side) for line in tense], 1.8) * 0.07 * depth
    found += cut(sidelong, {one_side("mouthStretch", side): 1.0})
    knot = bump(0.5 + side * (u - 0.5), v - 0.012, 0.012, 0.012) * 0.09
    return found + cut(knot, {one_side("mouthPress", side): 1.0})


def chin_and_lip_folds(
    random: np.random.Generator, points: NDArray[np.float32], depth: float
) -> list[Wrinkle]:
    """Chin boss, rays around the lips, and the bulge of pressed lips."""
    chin = bump(0.5, 0.318, 0.038, 0.019)
    pebbles = smooth_noise(random, 44) * chin * 0.030 * (0.5 + 0.5 * depth)
    arch = smooth_curve(
        np.array([[0.448, 0.330], [0.475, 0.346], [0.5, 0.349], [0.525, 0.346], [0.552, 0.330]])
    )
    boss = pebbles + grooves([arch], 2.4) * 0.08 + chin * 0.10
    left = np.clip(0.5 + (np.linspace(0, 1, SIZE, dtype=np.float32) - 0.5) / 0.06, 0, 1)
    found = cut(boss * left, {"mouthShrugLower_L": 1.0})
    found += cut(boss * (1 - left), {"mouthShrugLower_R": 1.0})
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
    found += cut(pursed, {"mouthPucker": 1.0, "lipTighten": 0.8, "mouthFunnel": 0.4})
    ring = bump(0.5, top + 0.020, 0.06, 0.010) * 0.07 + bump(0.5, bottom - 0.016, 0.05, 0.010) * 0.10
    return found + cut(ring, {"mouthPress_L": 0.5, "mouthPress_R": 0.5})
