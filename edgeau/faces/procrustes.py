"""The rotation nearest to a 3 x 3 matrix, which is what laying one set of points onto another comes down to.

For ``product = sum_i b_i a_i^T`` it is the rotation that turns the points ``a_i`` best onto ``b_i``: the orthogonal Procrustes
problem without reflection (Kabsch, Acta Crystallographica A32, 1976; by singular values: Umeyama, IEEE TPAMI 13(4), 1991).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["kabsch_rotation", "kabsch_rotations"]


def kabsch_rotations(products: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The rotation nearest to each matrix: ``(..., 3, 3)`` in, float64 ``(..., 3, 3)`` out."""
    left, _, right = np.linalg.svd(np.asarray(products, np.float64))
    rotations: NDArray[np.float64] = left @ right
    mirrored = np.linalg.det(rotations) < 0
    if mirrored.any():  # of the two solutions the one that is not a mirror image
        left[mirrored, :, 2] *= -1
        rotations = left @ right
    return rotations


def kabsch_rotation(product: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """:func:`kabsch_rotations` of one matrix ``(3, 3)``.

    OpenCV's decomposition takes half as long as numpy's where it is called behind a network, which leaves the caches empty
    (docs/decisions/rotation-by-opencv.md).
    """
    _, given, right = cv2.SVDecomp(np.asarray(product, np.float64))
    left: NDArray[np.float64] = np.asarray(given, np.float64)
    if cv2.determinant(left @ right) < 0:
        left[:, 2] *= -1
    return left @ right
