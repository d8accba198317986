"""Landmarks as regression targets: where 468 points of the aligned face lie, standardised, whatever the cut.

Ours. A network that learns AUs from scratch learns several times faster when it is also asked for the geometry, which
labels every pixel's neighbourhood instead of the whole face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edgeau_training.augmentation import CANVAS

__all__ = ["GeometryTargets"]

_STATISTICS_FACES = 4000  # enough for a mean within 0.1 pixel


@dataclass(frozen=True)
class GeometryTargets:
    """Standardises points, and knows which point is which in the mirror.

    Attributes:
        mean: float32 ``(P, 2)``, crop pixels.
        deviation: float32 ``(P, 2)``, crop pixels.
        mirror: int64 ``(P,)``, the point that each point becomes in a mirrored picture.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    mirror: NDArray[np.int64]

    @classmethod
    def fit(cls, points: NDArray[np.float32]) -> GeometryTargets:
        """From the training split's points, ``(N, P, 2)`` in crop pixels."""
        points = points[:_STATISTICS_FACES]
        mean, deviation = points.mean(axis=0), np.maximum(points.std(axis=0), 0.5)
        return cls(mean, deviation, _mirror_of(mean))

    def standardise(self, points: NDArray[np.float32], mirrored: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Targets ``(N, 2P)`` of points ``(N, P, 2)``; where ``mirrored`` ``(N,)``, of their mirror image."""
        points = points.copy()
        points[mirrored] = _flip(points[mirrored])[:, self.mirror]
        return ((points - self.mean) / self.deviation).reshape(len(points), -1)


def _flip(points: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack((CANVAS - 1 - points[..., 0], points[..., 1]), axis=-1)


def _mirror_of(mean: NDArray[np.float32]) -> NDArray[np.int64]:
    """The mean face is symmetric: each point's partner is the one its mirror image falls on, as a one-to-one matching."""
    distances = np.linalg.norm(mean[:, None] - _flip(mean)[None], axis=-1)
    return np.asarray(linear_sum_assignment(distances**2)[1], np.int64)
