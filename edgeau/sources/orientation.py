"""Orientation: the turn, mirroring and stretch by which a stored picture is seen as it was taken."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["UPRIGHT", "orient", "orientation_of_matrix", "square_size"]

# Pixels further from square than this are a mistake in the file. Ours.
_WIDEST_PIXEL = 8

UPRIGHT = 1
"""The EXIF number of a picture that is stored as it is seen."""

# For each EXIF orientation: whether rows and columns change places first, then whether rows and whether columns are
# reversed (Exif 2.32, section 4.6.4, tag 0x0112).
_STEPS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
# The same eight as matrices that take a stored pixel (x right, y down) to where it is seen, without the shift.
_MATRICES = {
    1: ((1, 0), (0, 1)),
    2: ((-1, 0), (0, 1)),
    3: ((-1, 0), (0, -1)),
    4: ((1, 0), (0, -1)),
    5: ((0, 1), (1, 0)),
    6: ((0, -1), (1, 0)),
    7: ((0, -1), (-1, 0)),
    8: ((0, 1), (-1, 0)),
}


def orient(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A picture as it is seen.

    Args:
        image: ``(height, width)`` or ``(height, width, channels)``, as stored.
        orientation: EXIF's number, 1 to 8; any other counts as 1, as viewers do.

    Returns:
        The same values; contiguous. Width and height change places for 5 to 8.
    """
    swap, rows, columns = _STEPS.get(orientation, _STEPS[UPRIGHT])
    if swap:
        image = image.swapaxes(0, 1)
    if rows:
        image = image[::-1]
    if columns:
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def orientation_of_matrix(matrix: Sequence[float]) -> int:
    """EXIF's number for the display matrix of a video track.

    Args:
        matrix: the nine numbers ``a b u c d v x y w`` of ISO/IEC 14496-12, section 8.3.2, in any scale: a stored pixel
            (p, q) is seen at (a p + c q + x, b p + d q + y).

    Returns:
        1 to 8: the nearest of the eight. A matrix that fits none well (all zeros, a turn by 45 degrees) is nearest to the
        one with which it has most in common.
    """
    a, b, _, c, d = matrix[:5]
    seen = ((a, c), (b, d))
    agreement = {
        number: sum(seen[row][column] * steps[row][column] for row in (0, 1) for column in (0, 1))
        for number, steps in _MATRICES.items()
    }
    return max(agreement, key=lambda number: (agreement[number], -number))


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
