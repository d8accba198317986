"""Warping a frame to a crop: bilinear, after shrinking by area where the frame is much larger."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.halving import halved, power_of_two

__all__ = ["Affine", "warp", "warp_affine"]

# A (2, 3) matrix row by row, a b x c d y: it maps (u, v) to (a u + b v + x, c u + d v + y).
Affine = tuple[float, float, float, float, float, float]


def warp(
    frame: NDArray[np.uint8], matrix: NDArray[np.float64], size: int | tuple[int, int], border: int = 128
) -> NDArray[np.uint8]:
    """Bilinear warp of a frame through a forward matrix to a crop.

    Args:
        frame: uint8 ``(height, width, 3)``.
        matrix: ``(2, 3)``, frame pixels to crop pixels.
        size: side of a square crop, or height and width; pixels.
        border: value outside the frame, 0..255.

    Returns:
        uint8 ``(height, width, 3)``, contiguous.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    return warp_affine(frame, (a, b, x, c, d, y), (size, size) if isinstance(size, int) else size, border)


def warp_affine(
    frame: NDArray[np.uint8], affine: Affine, shape: tuple[int, int], border: int
) -> NDArray[np.uint8]:
    """Warp like :func:`warp`, given six plain floats, height and width."""
    a, b, x, c, d, y = affine
    # Bilinear sampling skips pixels below half size, and the aliasing looks like wrinkles to an AU network: halve by
    # area first, as often as at least one pixel stays for each of the crop's, and only the part of the frame that is seen.
    factor = power_of_two(1 / math.hypot(a, c))
    left, top, right, bottom = _seen(affine, shape, margin=2 * factor)
    width = (min(right, frame.shape[1]) - left) // factor
    height = (min(bottom, frame.shape[0]) - top) // factor
    if width <= 0 or height <= 0:
        return np.full((*shape, 3), border, np.uint8)
    part = frame[top : top + height * factor, left : left + width * factor]
    # One row of a face lies far from the next in a frame; side by side they are read faster.
    part = halved(part, factor) if factor > 1 else np.ascontiguousarray(part)
    # A pixel of the part is `factor` pixels of the frame; its centre is theirs.
    first_x, first_y = left + (factor - 1) / 2, top + (factor - 1) / 2
    moved = (
        (a * factor, b * factor, a * first_x + b * first_y + x),
        (c * factor, d * factor, c * first_x + d * first_y + y),
    )
    crop: NDArray[np.uint8] = cv2.warpAffine(  # type: ignore[assignment]
        part,
        np.array(moved),
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    )
    return crop


def _seen(affine: Affine, shape: tuple[int, int], margin: int) -> tuple[int, int, int, int]:
    """Find the part of a frame that a crop shows, with a margin: left and top, 0 or more, and right and bottom, outside."""
    a, b, x, c, d, y = affine
    determinant = a * d - b * c
    corners = [(u - x, v - y) for u in (0, shape[1]) for v in (0, shape[0])]
    across = [(d * u - b * v) / determinant for u, v in corners]
    down = [(a * v - c * u) / determinant for u, v in corners]
    return (
        max(math.floor(min(across)) - margin, 0),
        max(math.floor(min(down)) - margin, 0),
        math.ceil(max(across)) + margin,
        math.ceil(max(down)) + margin,
    )
