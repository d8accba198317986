"""The rotation nearest to a 3 x 3 matrix, which is what laying one set of points onto another comes down to.

For ``product = sum_i b_i a_i^T`` it is the rotation that turns the points ``a_i`` best onto ``b_i``: the orthogonal Procrustes
problem without reflection (Kabsch, Acta Crystallographica A32, 1976; by singular values: Umeyama, IEEE TPAMI 13(4), 1991).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["kabsch_rotation", "kabsch_rotations"]

Rows = tuple[Sequence[float], Sequence[float], Sequence[float]]

# Newton's steps end below this change, relative; they converge quadratically from above.
_CONVERGED, _MOST_STEPS = 1e-15, 50
# Squared length of the quaternion's cofactors, in sixth powers of the matrix, below which it says nothing: turns of nearly 180 degrees, and
# points on a line.
_VANISHING = 1e-8


def kabsch_rotations(products: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The rotation nearest to each matrix: ``(..., 3, 3)`` in, float64 ``(..., 3, 3)`` out."""
    left, _, right = np.linalg.svd(np.asarray(products, np.float64))
    rotations: NDArray[np.float64] = left @ right
    mirrored = np.linalg.det(rotations) < 0
    if mirrored.any():  # of the two solutions the one that is not a mirror image
        left[mirrored, :, 2] *= -1
        rotations = left @ right
    return rotations


def kabsch_rotation(product: Sequence[Sequence[float]]) -> Rows:
    """:func:`kabsch_rotations` of one matrix, row by row, in plain floats: behind a network, which leaves the caches empty, numpy's takes five times as long.

    The rotation's quaternion belongs to the largest eigenvalue of a 4 x 4 matrix (Horn, JOSA A 4(4), 1987), which Newton's method finds
    on the characteristic polynomial (Theobald, Acta Crystallographica A61, 2005). It differs from the singular values' by some 1e-12.
    """
    (xx, yx, zx), (xy, yy, zy), (xz, yz, zz) = product
    diagonal = xx + yy + zz, xx - yy - zz, yy - xx - zz, zz - xx - yy
    beside = yz - zy, zx - xz, xy - yx, xy + yx, zx + xz, yz + zy
    size = xx * xx + xy * xy + xz * xz + yx * yx + yy * yy + yz * yz + zx * zx + zy * zy + zz * zz
    linear = -8 * (xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx))
    w, x, y, z = _cofactors(diagonal, beside)
    constant = diagonal[0] * w + beside[0] * x + beside[1] * y + beside[2] * z
    value = math.sqrt(3 * size)  # no eigenvalue is larger
    for _ in range(_MOST_STEPS):
        inner = (value * value - 2 * size) * value
        slope = 2 * (value**3 + inner) + linear
        if not slope > 0:
            break
        step = ((inner + linear) * value + constant) / slope
        value -= step
        if not abs(step) > _CONVERGED * value:
            break
    a, b, c, d = diagonal
    w, x, y, z = _cofactors((a - value, b - value, c - value, d - value), beside)
    length = w * w + x * x + y * y + z * z
    if not length > _VANISHING * size**3:
        first, second, third = kabsch_rotations(np.array(product)).tolist()
        return first, second, third
    ww, xx, yy, zz = w * w / length, x * x / length, y * y / length, z * z / length
    wx, wy, wz = w * x / length, w * y / length, w * z / length
    xy, xz, yz = x * y / length, x * z / length, y * z / length
    return (
        (ww + xx - yy - zz, 2 * (xy - wz), 2 * (xz + wy)),
        (2 * (xy + wz), ww - xx + yy - zz, 2 * (yz - wx)),
        (2 * (xz - wy), 2 * (yz + wx), ww - xx - yy + zz),
    )


def _cofactors(
    diagonal: tuple[float, float, float, float], beside: tuple[float, float, float, float, float, float]
) -> tuple[float, float, float, float]:
    """Cofactors of the first row of a symmetric 4 x 4 matrix, given by its diagonal and the rows of its upper triangle beside that."""
    _, b, c, d = diagonal
    ab, ac, ad, bc, bd, cd = beside
    right, middle, left = c * d - cd * cd, bc * d - cd * bd, bc * cd - c * bd
    outer, inner, last = ac * d - cd * ad, ac * cd - c * ad, ac * bd - bc * ad
    return (
        b * right - bc * middle + bd * left,
        -(ab * right - bc * outer + bd * inner),
        ab * middle - b * outer + bd * last,
        -(ab * left - b * inner + bc * last),
    )
