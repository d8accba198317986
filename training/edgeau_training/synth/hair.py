"""Hair: which part of the head it covers, how far it stands out, its strands, and what hangs beside the face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.rig import Rig

STRAND_SIDE = 256


@dataclass(frozen=True)
class Hair:
    """A hair style on one rig.

    Attributes:
        share: float32 ``(V,)``, 0..1: how much of a vertex is hair.
        lift: float32 ``(V,)``, cm that a vertex stands out along its normal.
        strands: float32 ``(M, M, 3)``, a tile of strands, linear RGB.
        long: hair falls beside the face.
        fringe: hair falls over the forehead.
    """

    share: NDArray[np.float32]
    lift: NDArray[np.float32]
    strands: NDArray[np.float32]
    long: bool
    fringe: bool


def sample_hair(random: np.random.Generator, rig: Rig, colour: NDArray[np.float32], age: float) -> Hair:
    """Draw a hair style; colour (3,) display RGB."""
    bald = random.random() < 0.05 + 0.12 * age
    style = random.choice(4, p=(0.15, 0.4, 0.25, 0.2))  # cropped, short, full, long
    x, y, z = rig.neutral.T
    line = random.uniform(8.7, 10.9) + (random.uniform(0, 1.8) * age)
    temple = random.uniform(6.0, 7.0)
    around = np.abs(x) / 7.0
    # Hairline: highest over the forehead, falling to the temples and in front of the ears.
    front = line - 2.2 * np.clip(around - 0.55, 0, 1) ** 1.5 + random.uniform(-0.6, 0.6) * np.cos(around * 3)
    side = np.clip((np.abs(x) - temple) * 0.9, 0, 1) * np.clip((y - random.uniform(0.0, 3.5)) * 0.7, 0, 1)
    above = np.clip((y - front) * 1.1 + 0.5, 0, 1)
    behind = np.clip((2.2 - z) * 0.8, 0, 1) * np.clip((y + 2.0) * 0.6, 0, 1)
    sides = side * np.clip((5.2 - z) * 1.2, 0, 1)
    share = np.maximum.reduce([above, behind, sides])
    ear = (np.abs(x) > 7.35) & (y < 4.6) & (y > -3.5) & (z > -3.2) & (z < 3.6)
    share[ear] = 0
    if bald:
        share = share * (0.0 if random.random() < 0.6 else np.clip((6.5 - y) * 0.4, 0, 1))
    thickness = (0.05, 0.55, 1.5, 1.2)[style] * random.uniform(0.7, 1.5)
    lump = 1 + 0.3 * np.sin(x * random.uniform(0.3, 1.2) + random.uniform(0, 6)) * np.sin(
        z * 0.9 + y * random.uniform(0.3, 1.0)
    )
    lift = thickness * np.clip((share - 0.3) * 1.6, 0, 1) * lump
    if style >= 1:
        lift = lift + random.normal(0, 0.05 * thickness, len(lift)) * (share > 0.5)
    long = bool(style == 3 and not bald)
    fringe = bool(not bald and style >= 1 and random.random() < 0.3)
    return Hair(share.astype(np.float32), lift.astype(np.float32), _strands(random, colour), long, fringe)


def _strands(random: np.random.Generator, colour: NDArray[np.float32]) -> NDArray[np.float32]:
    coarse = random.standard_normal((8, 128)).astype(np.float32)
    fine = random.standard_normal((16, STRAND_SIDE)).astype(np.float32)
    size = (STRAND_SIDE, STRAND_SIDE)
    pattern = 0.28 * cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC) + 0.2 * cv2.resize(fine, size)
    linear = np.asarray(colour, np.float32) ** 2.0
    return np.asarray(np.clip(linear * np.exp(pattern)[..., None], 0.002, 0.95), np.float32)
