"""A skin: albedo atlas, resting relief, wrinkles and hair colour, generated from a texture number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import smooth_curve, smooth_noise
from edgeau_training.synth.complexion import complexion, with_eye_surroundings, with_lips, with_marks
from edgeau_training.synth.drawing import Image
from edgeau_training.synth.facial_hair import brow_mask, with_beard
from edgeau_training.synth.lower_folds import cheek_folds, chin_and_lip_folds, mouth_corner_folds, nose_folds
from edgeau_training.synth.upper_folds import eye_folds, forehead_folds, frown_folds
from edgeau_training.synth.worn_folds import worn_in
from edgeau_training.synth.wrinkles import Wrinkle, grooves


def resting_relief(random: np.random.Generator, age: float) -> Image:
    """Draw the relief of a skin: float32 ``(SIZE, SIZE)``, cm; age 0 (young) .. 1 (old)."""
    relief = (
        0.0016 * random.uniform(0.3, 1.5) * smooth_noise(random, 240) + 0.003 * smooth_noise(random, 26) * age
    )
    folds, under, brow, _ = random.uniform(0, 1, 4) ** 1.5 * (0.15 + age)
    for side in (1, -1):
        path = np.array([[0.572, 0.575], [0.598, 0.54], [0.622, 0.495], [0.636, 0.455]]) + random.normal(
            0, 0.002, (4, 2)
        )
        arc = np.array([[0.598, 0.690], [0.630, 0.674], [0.672, 0.684]]) + random.normal(0, 0.002, (3, 2))
        for line, width, amount in ((path, 3.0, 0.085 * folds), (arc, 2.6, 0.05 * under)):
            curve = smooth_curve(line)
            curve[:, 0] = 0.5 + side * (curve[:, 0] - 0.5)
            relief = relief + grooves([curve], width) * amount
    lines = []
    for _ in range(int(random.integers(1, 5))):
        u = np.linspace(0.3, 0.7, 9)
        lines.append(
            smooth_curve(np.stack([u, random.uniform(0.845, 0.92) + random.normal(0, 0.002, 9)], 1), 40)
        )
    return np.asarray(relief + grooves(lines, 1.8) * 0.03 * brow, np.float32)


def folds_of(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    """Return the wrinkles of one skin.

    points (68, 2): u, v of the iBUG points in the atlas; depth: the skin's readiness to fold, about 0.3..1.5 (age).
    """
    found: list[Wrinkle] = []
    found += forehead_folds(random, points, depth)
    found += frown_folds(random, points, depth)
    for side in (1, -1):
        for maker in (eye_folds, nose_folds, cheek_folds, mouth_corner_folds):
            found += maker(random, points, depth, side)
    return found + chin_and_lip_folds(random, points, depth)


# Skin colours from light to dark (display RGB; ours, spread over the range that skin tone scales cover).
SKIN_TONES = np.array([[246, 218, 202], [234, 198, 176], [222, 180, 150], [200, 152, 118], [168, 118, 86],
                       [132, 88, 62], [98, 64, 46], [70, 46, 36]], np.float32) / 255  # fmt: skip
HAIR_COLOURS = np.array([[22, 18, 17], [38, 28, 24], [60, 42, 32], [88, 62, 44], [124, 90, 60], [170, 134, 92],
                         [120, 62, 36], [140, 138, 136], [205, 202, 198]], np.float32) / 255  # fmt: skip
HAIR_SHARES = np.array([0.25, 0.2, 0.16, 0.12, 0.08, 0.05, 0.04, 0.06, 0.04])


@dataclass(frozen=True)
class Skin:
    """Everything that a texture number stands for; N is ``atlas.SIZE``.

    Attributes:
        albedo: uint8 ``(N, N, 3)``, RGB, square root of linear reflectance.
        relief: float32 ``(N, N)``, cm, at rest, with the folds that are always there.
        wrinkles: folds that expressions drive.
        tone: float32 ``(3,)``, display RGB 0..1 of the skin.
        hair: float32 ``(3,)``, display RGB 0..1 of the hair.
        gloss: strength of highlights, 0..1.
        age: 0 young .. 1 old.
    """

    albedo: NDArray[np.uint8]
    relief: Image
    wrinkles: list[Wrinkle]
    tone: NDArray[np.float32]
    hair: NDArray[np.float32]
    gloss: float
    age: float


def make_skin(random: np.random.Generator, points: NDArray[np.float32]) -> Skin:
    """Draw one skin; points (68, 2) are the iBUG points in the atlas."""
    age = float(random.beta(1.3, 1.6))
    male = random.random() < 0.5
    tone, darkness = _tone(random)
    hair = _hair_colour(random, darkness, age)
    depth = 0.35 + 1.05 * age + random.uniform(-0.1, 0.25)
    atlas = complexion(random, tone, darkness, points)
    atlas = with_eye_surroundings(random, atlas, tone, points, male)
    atlas, lips = with_lips(random, atlas, tone, darkness, points, male)
    relief = resting_relief(random, age)
    atlas = with_marks(random, atlas, tone)
    if male and random.random() < 0.62:
        atlas = with_beard(random, atlas, hair, points, lips)
    brows = brow_mask(random, points, male)[..., None]
    colour = np.clip(hair * random.uniform(0.55, 1.05) + (0.06 if hair.mean() < 0.12 else 0), 0, 1)
    if hair.mean() > 0.5 and random.random() < 0.5:
        colour = np.clip(hair * 0.55, 0, 1)
    atlas = atlas * (1 - brows) + colour * brows
    albedo = np.clip(atlas, 0.04, 0.985)
    wrinkles = folds_of(random, points, depth)
    return Skin(
        albedo=np.round(albedo * 255).astype(np.uint8),
        relief=worn_in(random, relief, wrinkles, age),
        wrinkles=wrinkles,
        tone=tone,
        hair=hair,
        gloss=float(random.uniform(0.012, 0.1)),
        age=age,
    )


def _tone(random: np.random.Generator) -> tuple[NDArray[np.float32], float]:
    place = random.uniform(0, len(SKIN_TONES) - 1.001)
    low = int(place)
    tone = SKIN_TONES[low] * (1 - place + low) + SKIN_TONES[low + 1] * (place - low)
    tone = np.clip(tone * random.normal(1, (0.03, 0.03, 0.04)) * random.normal(1, 0.03), 0.05, 0.97)
    return tone.astype(np.float32), float(place / (len(SKIN_TONES) - 1))


def _hair_colour(random: np.random.Generator, darkness: float, age: float) -> NDArray[np.float32]:
    shares = HAIR_SHARES.copy()
    shares[3:7] *= max(0.05, 1 - 1.6 * darkness)
    shares[7:] *= 0.15 + 3.5 * max(0.0, age - 0.35)
    base = HAIR_COLOURS[random.choice(len(HAIR_COLOURS), p=shares / shares.sum())]
    return np.asarray(np.clip(base * random.normal(1, 0.08, 3), 0.02, 0.95), np.float32)
