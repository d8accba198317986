"""Augmentation of aligned crops: where the picture is cut, and how its light, colour and sharpness change.

Rendered faces are cleaner and more alike than pictures of people; what a network learns from them carries over only as far
as the training pictures vary beyond them. All of it draws from a generator per sample, so a sample's picture depends on
seed, epoch and its place in it alone, and a resumed run sees the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError

__all__ = ["CANVAS", "Augmentation", "CropView", "centre_cut", "random_cut", "vary"]

CANVAS = 256  # side of the stored aligned crops, pixels, where nothing else is given

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class CropView:
    """Part of the stored crop that is seen: ``pixels`` a side, spanning its central ``field`` of ``canvas`` pixels."""

    pixels: int
    field: float
    canvas: int = CANVAS


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the variation of pictures. Lengths in canvas pixels, angles in degrees, the rest ratios or probabilities.

    The cut (shift, flip) is the published one: a random 224 crop of 256 is a shift of up to 16. All else is ours.
    """

    shift: float = 16.0
    rotation: float = 8.0
    zoom: float = 0.08
    stretch: float = 0.04
    flip: float = 0.5
    brightness: float = 0.3
    contrast: float = 0.3
    gamma: float = 0.4
    tint: float = 0.12
    saturation: float = 0.6
    grey: float = 0.15
    shade: float = 0.35
    blur: float = 0.3
    noise: float = 0.4
    compress: float = 0.2
    erase: float = 0.25

    def __post_init__(self) -> None:
        for name, amount in vars(self).items():
            if not 0 <= amount < np.inf:
                raise UsageError(f"augmentation {name} {amount} must be a number of 0 or more")

    @classmethod
    def none(cls, **amounts: float) -> Augmentation:
        """Only the given amounts; all others are 0."""
        return cls(**{**dict.fromkeys(cls.__dataclass_fields__, 0.0), **amounts})

    def scale(self, strength: float) -> Augmentation:
        """All amounts and probabilities but the flip's, times ``strength`` 0..1."""
        amounts = {name: strength * value for name, value in vars(self).items()}
        return Augmentation(**{**amounts, "flip": self.flip})


def centre_cut(view: CropView) -> Matrix:
    """Canvas-to-picture matrix of the view's central part, float64 ``(2, 3)``."""
    return _cut(view, np.eye(2), np.zeros(2))


def random_cut(
    rng: np.random.Generator, options: Augmentation, view: CropView, mirrored: bool | None = None
) -> tuple[Matrix, bool]:
    """A shifted, turned, scaled and perhaps mirrored cut.

    Args:
        rng: random generator of this sample.
        options: how much it varies.
        view: view of the picture.
        mirrored: whether it mirrors; None draws that too.

    Returns:
        The canvas-to-picture matrix, float64 ``(2, 3)``, and whether it mirrors.
    """
    angle = np.deg2rad(rng.normal(0, options.rotation / 2))
    scale = np.exp(rng.normal(0, options.zoom / 2))
    stretch = np.exp(rng.normal(0, options.stretch / 2))
    shift = rng.uniform(-options.shift, options.shift, 2)
    drawn = bool(rng.random() < options.flip)
    flip = drawn if mirrored is None else mirrored
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array(((cos * stretch, -sin), (sin, cos / stretch)))
    if flip:
        linear[:, 0] = -linear[:, 0]
    return _cut(view, linear, shift), flip


def vary(rng: np.random.Generator, options: Augmentation, image: Image) -> Image:
    """Another light, colour and sharpness: uint8 RGB ``(H, W, 3)`` in and out."""
    if rng.random() < options.grey:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    elif options.saturation:
        image = _saturate(image, float(np.clip(rng.normal(1, options.saturation / 2), 0, 2)))
    if rng.random() < options.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.011 * len(image) + 0.3))  # type: ignore[assignment]
    image = cv2.LUT(image, _tone_curves(rng, options))  # type: ignore[assignment]
    if rng.random() < options.shade:
        image = _shade(rng, image)
    if rng.random() < options.noise:
        image = _noise(rng, image, rng.uniform(2, 12))
    if rng.random() < options.compress:
        image = _compress(image, int(rng.integers(30, 85)))
    if rng.random() < options.erase:
        image = _erase(rng, image)
    return image


def _cut(view: CropView, linear: NDArray[np.float64], shift: NDArray[np.float64]) -> Matrix:
    """Scales about the canvas centre onto the picture's centre; pixel centres are at whole numbers."""
    linear = linear * (view.pixels / view.field)
    offset = (view.pixels - 1) / 2 - linear @ ((view.canvas - 1) / 2 + shift)
    return np.column_stack((linear, offset))


def _tone_curves(rng: np.random.Generator, options: Augmentation) -> Image:
    """One look-up table a channel, uint8 ``(1, 256, 3)``: gamma, contrast, brightness and a colour cast in one."""
    values = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.normal(0, options.gamma / 2))
    contrast = np.exp(rng.normal(0, options.contrast / 2))
    gain = np.exp(rng.normal(0, options.brightness / 2) + rng.normal(0, options.tint / 2, 3))
    pivot = rng.uniform(0.3, 0.6)
    values = ((values - pivot) * contrast + pivot) * gain
    return np.asarray(np.clip(values * 255 + 0.5, 0, 255), np.uint8)[None]


def _saturate(image: Image, amount: float) -> Image:
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return cv2.addWeighted(image, amount, grey, 1 - amount, 0)  # type: ignore[return-value]


def _shade(rng: np.random.Generator, image: Image) -> Image:
    """Light that falls off across the picture, in a random direction."""
    side = np.linspace(-1, 1, len(image), dtype=np.float32)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5)
    ramp = 1 + strength * (np.float32(np.cos(angle)) * side[None] + np.float32(np.sin(angle)) * side[:, None])
    return np.asarray(np.clip(image * ramp[..., None].astype(np.float32), 0, 255), np.uint8)


def _noise(rng: np.random.Generator, image: Image, deviation: float) -> Image:
    grain = rng.standard_normal(image.shape, np.float32) * np.float32(deviation)
    return np.asarray(np.clip(image + grain, 0, 255), np.uint8)


def _compress(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return cv2.imdecode(data, cv2.IMREAD_COLOR)  # type: ignore[return-value]


def _erase(rng: np.random.Generator, image: Image) -> Image:
    """A rectangle of one colour, up to 7 % of the picture: something in front of the face."""
    side = len(image)
    width, height = (rng.uniform(0.08, 0.26, 2) * side).astype(int)
    left, top = rng.integers(0, side - width), rng.integers(0, side - height)
    image = image.copy()
    image[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return image
