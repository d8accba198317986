"""A skin: albedo atlas, resting relief, wrinkles and hair colour, generated from a texture number."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.atlas import SIZE, Image, bump, filled, smooth_curve, smooth_noise
from edgeau_training.synth.brows import brow_mask
from edgeau_training.synth.wrinkles import Wrinkle, grooves, wrinkles_of

# Skin colours from light to dark (display RGB; ours, spread over the range that skin tone scales cover).
SKIN_TONES = np.array([[246, 218, 202], [234, 198, 176], [222, 180, 150], [200, 152, 118], [168, 118, 86],
                       [132, 88, 62], [98, 64, 46], [70, 46, 36]], np.float32) / 255  # fmt: skip
HAIR_COLOURS = np.array([[22, 18, 17], [38, 28, 24], [60, 42, 32], [88, 62, 44], [124, 90, 60], [170, 134, 92],
                         [120, 62, 36], [140, 138, 136], [205, 202, 198]], np.float32) / 255  # fmt: skip
HAIR_SHARES = np.array([0.25, 0.2, 0.16, 0.12, 0.08, 0.05, 0.04, 0.06, 0.04])


@dataclass(frozen=True)
class Skin:
    """albedo (SIZE, SIZE, 3) uint8, square root of linear reflectance, RGB; relief (SIZE, SIZE) float32 cm;
    wrinkles; tone (3,) and hair (3,) display RGB 0..1; gloss 0..1; age 0 (young)..1 (old).
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
    atlas = _complexion(random, tone, darkness, points)
    atlas = _eye_surroundings(random, atlas, tone, points, male)
    atlas, lips = _lips(random, atlas, tone, darkness, points, male)
    relief = _relief(random, points, age, depth)
    atlas = _marks(random, atlas, tone)
    if male and random.random() < 0.62:
        atlas = _beard(random, atlas, hair, points, lips)
    brows = brow_mask(random, points, male)[..., None]
    colour = np.clip(hair * random.uniform(0.55, 1.05) + (0.06 if hair.mean() < 0.12 else 0), 0, 1)
    if hair.mean() > 0.5 and random.random() < 0.5:
        colour = np.clip(hair * 0.55, 0, 1)
    atlas = atlas * (1 - brows) + colour * brows
    # Grooves that are always there also collect shade.
    albedo = np.clip(atlas, 0.04, 0.985)
    return Skin(
        albedo=np.round(albedo * 255).astype(np.uint8), relief=relief, wrinkles=wrinkles_of(random, points, depth),
        tone=tone, hair=hair, gloss=float(random.uniform(0.012, 0.1)), age=age,
    )  # fmt: skip


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
    return np.clip(base * random.normal(1, 0.08, 3), 0.02, 0.95).astype(np.float32)


def _complexion(
    random: np.random.Generator, tone: NDArray[np.float32], darkness: float, points: NDArray[np.float32]
) -> Image:
    blotch = 0.018 * random.uniform(0.3, 1.6) * smooth_noise(random, 7) + 0.010 * smooth_noise(random, 40)
    pores = 0.010 * random.uniform(0.3, 1.5) * smooth_noise(random, 256)
    atlas = tone * (1 + blotch + pores)[..., None]
    flush = np.array([0.05, -0.035, -0.035], np.float32) * random.uniform(0, 1.2) * (1 - 0.6 * darkness)
    nose = points[30]
    for u, v, size in (
        (0.30, 0.56, 0.07),
        (0.70, 0.56, 0.07),
        (float(nose[0]), float(nose[1]), 0.05),
        (0.5, 0.31, 0.04),
    ):
        atlas = atlas + flush * (bump(u, v, size, size * 0.8) * random.uniform(0.4, 1.2))[..., None]
    return np.asarray(atlas, np.float32)


def _eye_surroundings(
    random: np.random.Generator,
    atlas: Image,
    tone: NDArray[np.float32],
    points: NDArray[np.float32],
    male: bool,
) -> Image:
    shade, bags = random.uniform(0.02, 0.16), random.uniform(0, 0.14)
    for corner in (36, 42):
        u, v = points[corner : corner + 6].mean(0)
        ring = bump(float(u), float(v) + 0.008, 0.055, 0.022)[..., None] * shade
        under = bump(float(u), float(v) - 0.026, 0.042, 0.011)[..., None] * bags
        atlas = atlas * (1 - ring) * (1 - under * np.array([0.8, 1.0, 0.9], np.float32))
    if not male and random.random() < 0.4:
        colour = tone * random.uniform(0.3, 0.9, 3).astype(np.float32)
        for corner in (36, 42):
            u, v = points[corner : corner + 6].mean(0)
            lid = bump(float(u), float(v) + 0.012, 0.045, 0.009)[..., None] * random.uniform(0.2, 0.6)
            atlas = atlas * (1 - lid) + colour * lid
    return np.asarray(atlas, np.float32)


def _lips(
    random: np.random.Generator, atlas: Image, tone: NDArray[np.float32], darkness: float,
    points: NDArray[np.float32], male: bool,
) -> tuple[Image, Image]:  # fmt: skip
    outline = smooth_curve(np.vstack([points[48:60], points[48:49]]), 80)
    mask = filled(outline, random.uniform(1.6, 4.0))
    colour = tone * np.array(
        [random.uniform(0.84, 1.02), random.uniform(0.58, 0.86), random.uniform(0.62, 0.88)], np.float32
    )
    strength = random.uniform(0.35, 0.95)
    if not male and random.random() < 0.38:
        colour = np.array(
            [random.uniform(0.4, 0.85), random.uniform(0.08, 0.4), random.uniform(0.15, 0.45)], np.float32
        )
        colour = colour * (1 - 0.35 * darkness)
        strength = random.uniform(0.5, 1.0)
    streaks = 1 + 0.05 * smooth_noise(random, 150, rows=24)[..., None]
    blend = mask[..., None] * strength
    return np.asarray(atlas * (1 - blend) + colour * streaks * blend, np.float32), mask


def _relief(random: np.random.Generator, points: NDArray[np.float32], age: float, depth: float) -> Image:
    relief = (
        0.0016 * random.uniform(0.3, 1.5) * smooth_noise(random, 240) + 0.003 * smooth_noise(random, 26) * age
    )
    folds, under, brow, feet = random.uniform(0, 1, 4) ** 1.5 * (0.15 + age)
    for side in (1, -1):
        path = np.array([[0.572, 0.575], [0.598, 0.54], [0.622, 0.495], [0.636, 0.455]]) + random.normal(
            0, 0.002, (4, 2)
        )
        arc = np.array([[0.598, 0.690], [0.630, 0.674], [0.672, 0.684]]) + random.normal(0, 0.002, (3, 2))
        for line, width, amount in ((path, 3.0, 0.085 * folds), (arc, 2.6, 0.05 * under)):
            line = smooth_curve(line)
            line[:, 0] = 0.5 + side * (line[:, 0] - 0.5)
            relief = relief + grooves([line], width) * amount
    lines = []
    for _ in range(int(random.integers(1, 5))):
        u = np.linspace(0.3, 0.7, 9)
        lines.append(
            smooth_curve(np.stack([u, random.uniform(0.845, 0.92) + random.normal(0, 0.002, 9)], 1), 40)
        )
    return np.asarray(relief + grooves(lines, 1.8) * 0.03 * brow, np.float32)


def _marks(random: np.random.Generator, atlas: Image, tone: NDArray[np.float32]) -> Image:
    marked = np.ascontiguousarray(atlas)
    dark = [float(channel) for channel in tone * np.array([0.5, 0.4, 0.38])]
    for _ in range(int(random.integers(0, 9))):
        centre = (int(random.uniform(90, 420)), int(random.uniform(60, 380)))
        cv2.circle(marked, centre, int(random.integers(1, 3)), dark, -1, cv2.LINE_AA)
    if random.random() < 0.18:
        spots = (smooth_noise(random, 130) > random.uniform(1.5, 2.2)).astype(np.float32)
        spots = cv2.GaussianBlur(spots, (0, 0), 0.8) * (bump(0.5, 0.6, 0.2, 0.09) * random.uniform(0.2, 0.5))
        marked = marked * (1 - spots[..., None] * np.array([0.25, 0.45, 0.55], np.float32))
    return np.asarray(marked, np.float32)


def _beard(
    random: np.random.Generator,
    atlas: Image,
    hair: NDArray[np.float32],
    points: NDArray[np.float32],
    lips: Image,
) -> Image:
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
