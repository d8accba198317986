"""Ridge regression that is told to expect more variety of people than it saw.

Rendered identities vary less than people do. Adding ``nuisance`` times the covariance of everything that AUs do not
explain to the covariance of the data is the closed form of training on faces that differ from each other by
sqrt(1 + nuisance) times as much: directions in which people differ lose weight, and what is left is what AUs alone move.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau_training.landmark_model.moments import Moments

__all__ = ["fit_weights"]

# Template units. Points that hardly vary at all are not blown up to unit variance: that would fit the detector's noise.
_SCALE_FLOOR = 2e-3


def fit_weights(moments: Moments, ridge: float, nuisance: float) -> NDArray[np.float64]:
    """Weights float64 ``(F, C)``: intensity per template unit.

    Args:
        moments: of the training faces.
        ridge: penalty on standardised weights, above 0.
        nuisance: how often the unexplained covariance is added, 0 or more.
    """
    scale = np.sqrt(np.diag(moments.covariance)) + _SCALE_FLOOR
    system = (moments.covariance + nuisance * moments.nuisance) / np.outer(scale, scale)
    system[np.diag_indices_from(system)] += ridge
    standardised = np.linalg.solve(system, moments.with_intensities / scale[:, None])
    return np.asarray(standardised / scale[:, None])
