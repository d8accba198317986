"""Random data: neighbouring pixels of a photograph are alike, those of noise are not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.linter.finding import Finding

__all__ = ["noise"]

# Correlation of horizontal neighbours: 0.89 and more in every face looked at, noisy night shots included; 0 in noise.
_ALIKE = 0.6


def noise(found: CalibrationSet) -> Iterator[Finding]:
    """Refuses sets of which more than a tenth are noise."""
    noisy = np.array([_neighbours(crop) < _ALIKE for crop in found.crops])
    if noisy.mean() > 0.1:
        yield Finding(
            "random",
            f"{noisy.sum()} of {len(found)} crops are noise: their neighbouring pixels have nothing in common",
            "calibrate on faces; without --calib the packaged crops are used, random numbers never are",
        )


def _neighbours(crop: NDArray[np.uint8]) -> float:
    grey = crop.astype(np.float32).mean(axis=2)
    left, right = grey[:, :-1] - grey[:, :-1].mean(), grey[:, 1:] - grey[:, 1:].mean()
    energy = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / energy if energy > 0 else 1.0  # a flat picture is another rule's
