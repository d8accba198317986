"""Second moments of face shapes and AU intensities: all that a linear fit needs, however many faces there are.

Every face counts together with its mirror image, which has the same AUs; what differs between the two sides of a face is
therefore uncorrelated with everything, and weights fitted on the symmetric half alone are the same. So only the symmetric
half of each shape is kept. For what tells the sides apart it is the other half alone, for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.face_shape import MESH_POINTS

__all__ = ["Moments", "fit_weights", "gather"]

_CHUNK = 2000  # faces; 2000 x 1404 numbers at a time


@dataclass(frozen=True)
class Moments:
    """Moments of the difference of N faces from the template, flattened to F = 1404 numbers, and of C intensities.

    Attributes:
        mean: float64 ``(F,)``.
        neutral: float64 ``(F,)``, the expected face when every AU is 0.
        covariance: float64 ``(F, F)``.
        nuisance: float64 ``(F, F)``, the part of it that intensities and their squares do not explain: who it is, how
            the head is turned, how the landmarks were found.
        with_intensities: float64 ``(F, C)``, covariance with the intensities.
        mean_intensities: float64 ``(C,)``.
    """

    mean: NDArray[np.float64]
    neutral: NDArray[np.float64]
    covariance: NDArray[np.float64]
    nuisance: NDArray[np.float64]
    with_intensities: NDArray[np.float64]
    mean_intensities: NDArray[np.float64]


def gather(
    landmarks: NDArray[np.float32],
    labels: NDArray[np.float32],
    shape_of: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> Moments:
    """Gather the moments of faces.

    Args:
        landmarks: ``(N, >= 468, 3)``, pixels.
        labels: ``(N, C)``, intensities, or half the difference between those of the sides.
        shape_of: the half of each face's shape that has to do with them, ``(N, 468, 3)``, of N faces' landmarks.
    """
    intensities = labels.astype(np.float64)
    # An AU moves points a little less than in proportion to its intensity, hence the squares.
    explaining = np.column_stack((np.ones(len(intensities)), intensities, intensities * np.abs(intensities)))
    products, with_explaining = _products(landmarks, shape_of, explaining)
    count = len(intensities)
    explained, *_ = np.linalg.lstsq(explaining.T @ explaining, with_explaining.T, rcond=None)
    mean, mean_intensities = with_explaining[:, 0] / count, intensities.mean(axis=0)
    with_intensities = with_explaining[:, 1 : 1 + intensities.shape[1]]
    return Moments(
        mean=mean,
        neutral=explained[0],
        covariance=products / count - np.outer(mean, mean),
        nuisance=(products - with_explaining @ explained) / count,
        with_intensities=with_intensities / count - np.outer(mean, mean_intensities),
        mean_intensities=mean_intensities,
    )


def _products(
    landmarks: NDArray[np.float32],
    shape_of: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    explaining: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums over faces of shape times shape, ``(F, F)``, and shape times explaining, ``(F, E)``."""
    size = MESH_POINTS * 3
    products, with_explaining = np.zeros((size, size)), np.zeros((size, explaining.shape[1]))
    for start in range(0, len(explaining), _CHUNK):
        rows = slice(start, start + _CHUNK)
        shapes = shape_of(landmarks[rows]).reshape(-1, size).astype(np.float64)
        products += shapes.T @ shapes
        with_explaining += shapes.T @ explaining[rows]
    return products, with_explaining


# Template units. Points that hardly vary at all are not blown up to unit variance: that would fit the detector's noise.
_SCALE_FLOOR = 2e-3


def fit_weights(moments: Moments, ridge: float, nuisance: float) -> NDArray[np.float64]:
    """Weights float64 ``(F, C)``: intensity per template unit.

    Rendered identities vary less than people do. Adding ``nuisance`` times the covariance of everything that AUs do not
    explain to the covariance of the data is the closed form of training on faces that differ from each other by
    sqrt(1 + nuisance) times as much: directions in which people differ lose weight, and what is left is what AUs alone move.

    Args:
        moments: moments of the training faces.
        ridge: penalty on standardised weights, above 0.
        nuisance: how often the unexplained covariance is added, 0 or more.
    """
    scale = np.sqrt(np.diag(moments.covariance)) + _SCALE_FLOOR
    system = (moments.covariance + nuisance * moments.nuisance) / np.outer(scale, scale)
    system[np.diag_indices_from(system)] += ridge
    standardised = np.linalg.solve(system, moments.with_intensities / scale[:, None])
    return np.asarray(standardised / scale[:, None])
