"""The rotation nearest to a 3 x 3 matrix, which is what laying one set of points onto another comes down to.

For ``product = sum_i b_i a_i^T`` it is the rotation that turns the points ``a_i`` best onto ``b_i`` (orthogonal Procrustes
problem without reflection; Kabsch, Acta Crystallographica A32, 1976).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["kabsch_rotation", "nearest_rotations"]

_MOST_STEPS = 20
_CONVERGED = 1e-12
# Flatter point sets than this have no stable rotation by Newton's iteration; share of the volume they could span.
_FLAT = 1e-9

Rows = Sequence[Sequence[float]]


def kabsch_rotation(product: Rows) -> Rows:
    """The rotation nearest to one matrix: rows of floats in, rows of floats out.

    Newton's iteration for the orthogonal polar factor with scaling by the determinant (Higham, SIAM J. Sci. Stat. Comput.
    7, 1986), in plain floats: for one matrix six steps cost a fifth of what a call of LAPACK does.
    """
    (a, b, c), (d, e, f), (g, h, i) = product
    size = abs(a) + abs(b) + abs(c) + abs(d) + abs(e) + abs(f) + abs(g) + abs(h) + abs(i)
    for _ in range(_MOST_STEPS):
        p, q, r = e * i - f * h, f * g - d * i, d * h - e * g  # cofactors
        determinant = a * p + b * q + c * r
        if not determinant > _FLAT * size**3:
            break
        size = 0.0  # only the first matrix can be flat
        s, t, u = c * h - b * i, a * i - c * g, b * g - a * h
        v, w, x = b * f - c * e, c * d - a * f, a * e - b * d
        scale = determinant ** (-1 / 3)
        keep, turn = 0.5 * scale, 0.5 / (scale * determinant)
        before = a + e + i
        a, b, c = keep * a + turn * p, keep * b + turn * q, keep * c + turn * r
        d, e, f = keep * d + turn * s, keep * e + turn * t, keep * f + turn * u
        g, h, i = keep * g + turn * v, keep * h + turn * w, keep * i + turn * x
        if abs(a + e + i - before) < _CONVERGED and abs(scale - 1) < _CONVERGED:
            return (a, b, c), (d, e, f), (g, h, i)
    rows: Rows = _by_svd(np.array([product]))[0].tolist()  # mirrored or flat
    return rows


def nearest_rotations(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation nearest to each of some matrices, float64 ``(N, 3, 3)``."""
    if len(products) == 1:
        return np.array([kabsch_rotation(products[0].tolist())])
    return _by_svd(products)


def _by_svd(products: NDArray[np.float64]) -> NDArray[np.float64]:
    left, _, right = np.linalg.svd(products)
    # Of two solutions the one that is no mirror image.
    left[np.linalg.det(left @ right) < 0, :, 2] *= -1
    rotations: NDArray[np.float64] = left @ right
    return rotations
