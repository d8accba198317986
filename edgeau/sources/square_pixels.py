"""The size at which a picture with pixels that are not square looks right."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["square_size"]

# Pixels further from square than this are a mistake in the file. Ours.
_WIDEST_PIXEL = 8


def square_size(width: int, height: int, pixel_aspect: Fraction | float) -> tuple[int, int]:
    """Width and height with square pixels: the side that is too short grows, so that no pixel is lost.

    Args:
        width: stored, pixels.
        height: stored, pixels.
        pixel_aspect: width of a stored pixel over its height.
    """
    if not 1 / _WIDEST_PIXEL <= pixel_aspect <= _WIDEST_PIXEL:
        return width, height
    if pixel_aspect >= 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)
