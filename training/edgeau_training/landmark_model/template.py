"""The template that faces are laid on, learned from faces: generalized Procrustes analysis with weighted points.

Points that expressions or the search for landmarks move much get a small weight, so that the fit rests on what is rigid
(Gower, "Generalized Procrustes analysis", Psychometrika 1975; the weights are inverse residual variances, iterated).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edgeau.action_units.face_shape import MESH_POINTS, procrustes_align

__all__ = ["Template", "learn_template", "mirror_pairs", "mirrored_half", "mirrored_mean"]

# A start that is roughly upright, frontal and of unit size: eye corners, nose bridge, chin. The analysis replaces it.
_EYE_LEFT, _EYE_RIGHT, _FOREHEAD, _CHIN = (33, 133), (362, 263), 10, 152
_ROUNDS = 6
_CROOKED = 0.1  # mean distance of mirrored pairs, eye distances; the mean of some hundred faces has 0.02


@dataclass(frozen=True)
class Template:
    """Mean face that faces are laid on.

    Attributes:
        points: float64 ``(468, 3)``, mean face: symmetric about x = 0, upright, outer eye corners 1 apart.
        weights: float64 ``(468,)``, how much each point counts in the fit.
        mirror: int64 ``(468,)``, the index of each point's mirror image.
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    mirror: NDArray[np.int64]

    def lay(self, landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        """All 468 points of N faces on the template, float32 ``(N, 468, 3)``."""
        every = np.arange(MESH_POINTS)
        return procrustes_align(landmarks[:, :MESH_POINTS], every, self.points, self.weights, every)

    def symmetric(self, landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        """The symmetric half of each face's difference from the template, float32 ``(N, 468, 3)``."""
        difference = self.lay(landmarks) - self.points.astype(np.float32)
        return mirrored_mean(difference, self.mirror)

    def antisymmetric(self, landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        """The other half of it, which changes its sign in a mirrored face, float32 ``(N, 468, 3)``."""
        difference = self.lay(landmarks) - self.points.astype(np.float32)
        return mirrored_half(difference, self.mirror)


def mirrored_half(values: NDArray[Any], mirror: NDArray[np.int64]) -> NDArray[Any]:
    """Return what is left of ``(..., 468, 3)`` without :func:`mirrored_mean`."""
    apart: NDArray[Any] = values - mirrored_mean(values, mirror)
    return apart


def mirrored_mean(values: NDArray[Any], mirror: NDArray[np.int64]) -> NDArray[Any]:
    """The mean of ``(..., 468, 3)`` and its mirror image: points swapped, x negated."""
    both: NDArray[Any] = (values + values[..., mirror, :] * np.array((-1, 1, 1), values.dtype)) / 2
    return both


def learn_template(landmarks: NDArray[np.float32]) -> Template:
    """Mean face and weights from faces of many people, poses and expressions.

    Args:
        landmarks: ``(N, >= 468, 3)``, pixels; some hundred faces are enough.
    """
    faces = landmarks[:, :MESH_POINTS]
    points, weights = _upright(faces[0].astype(np.float64)), np.ones(MESH_POINTS)
    every = np.arange(MESH_POINTS)
    for _ in range(2):  # the first face is nobody's mean
        points = _upright(
            procrustes_align(faces, every, points, weights, every).mean(axis=0, dtype=np.float64)
        )
    mirror = mirror_pairs(points)
    for _ in range(_ROUNDS):
        laid = procrustes_align(faces, every, points, weights, every)
        weights = _inverse_variance(laid, mirror)
        points = _upright(mirrored_mean(laid.mean(axis=0, dtype=np.float64), mirror))
    return Template(points, weights, mirror)


def mirror_pairs(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """The index of each point's mirror image at x = 0, int64 ``(468,)``; points of the middle are their own.

    Args:
        points: ``(468, 3)``, roughly symmetric about x = 0, outer eye corners 1 apart.

    Raises:
        ValueError: the face is too crooked for a one-to-one pairing.
    """
    mirrored = points * (-1, 1, 1)
    # The nearest point is not always the partner where points lie dense; the best assignment of all at once is.
    _, partner = linear_sum_assignment(np.square(mirrored[:, None] - points[None]).sum(axis=2))
    apart = np.linalg.norm(mirrored - points[partner], axis=1).mean()
    if apart > _CROOKED or not np.array_equal(partner[partner], np.arange(len(points))):
        raise ValueError(
            f"left and right points of this face do not pair up ({apart:.2f} apart when mirrored)"
        )
    return np.asarray(partner, np.int64)


def _upright(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turned so that the eyes lie along x and forehead to chin along y; centred between the eyes, their distance 1."""
    left, right = points[_EYE_LEFT, :].mean(axis=0), points[_EYE_RIGHT, :].mean(axis=0)
    across = (right - left) / np.linalg.norm(right - left)
    down = points[_CHIN] - points[_FOREHEAD]
    down -= across * (across @ down)
    down /= np.linalg.norm(down)
    axes = np.stack((across, down, np.cross(across, down)), axis=1)
    outer = float(np.linalg.norm(points[_EYE_RIGHT[1]] - points[_EYE_LEFT[0]]))
    upright: NDArray[np.float64] = (points - (left + right) / 2) @ axes / outer
    return upright


def _inverse_variance(laid: NDArray[np.float32], mirror: NDArray[np.int64]) -> NDArray[np.float64]:
    variance = laid.var(axis=0, dtype=np.float64).sum(axis=1)
    variance = (variance + variance[mirror]) / 2
    # The fit itself shrinks the variance of heavy points; the floor keeps a few of them from taking over.
    return np.asarray(1 / (variance + np.median(variance)))
