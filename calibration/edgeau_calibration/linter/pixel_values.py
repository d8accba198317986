"""Pixels that are no photograph of a face: levels of the wrong range, flat pictures, noise."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.linter.finding import LintFinding

__all__ = ["constant", "luminance", "noise", "value_range"]

# (x / 255 - mean) / std reaches 2.7 at most; the darkest set of real faces that was seen reaches 200 and more.
_BRIGHTEST = 32


def value_range(found: CalibrationSet) -> Iterator[LintFinding]:
    """Refuses sets whose levels nowhere leave the bottom of 0..255."""
    brightest = float(np.percentile(found.crops, 99.9))
    if brightest < _BRIGHTEST:
        yield LintFinding(
            "range",
            f"levels reach {brightest:.0f} of 255, as after a division by 255 or a normalisation",
            "give the pictures as they are, 0..255: edgeau normalises them itself",
        )


# Standard deviation of the levels of a crop; faces in fog and night have 14 and more.
_FLAT = 4.0
_FLAT_SHARE = 0.1


def constant(found: CalibrationSet) -> Iterator[LintFinding]:
    """Refuses sets of which more than a tenth are flat pictures."""
    flat = luminance(found.crops, 32, 32).std(axis=(1, 2)) < _FLAT
    if flat.mean() > _FLAT_SHARE:
        yield LintFinding(
            "constant",
            f"{flat.sum()} of {len(found)} crops show one even colour",
            "calibrate on faces: ranges of an empty picture clip every real one",
        )


# Correlation of horizontal neighbours: 0.89 and more in every face looked at, noisy night shots included; 0 in noise.
_ALIKE = 0.6


def noise(found: CalibrationSet) -> Iterator[LintFinding]:
    """Refuses sets of which more than a tenth are noise."""
    noisy = np.array([_neighbours(crop) < _ALIKE for crop in found.crops])
    if noisy.mean() > 0.1:
        yield LintFinding(
            "random",
            f"{noisy.sum()} of {len(found)} crops are noise: their neighbouring pixels have nothing in common",
            "calibrate on faces; without --calib the packaged crops are used, random numbers never are",
        )


def _neighbours(crop: NDArray[np.uint8]) -> float:
    grey = crop.astype(np.float32).mean(axis=2)
    left, right = grey[:, :-1] - grey[:, :-1].mean(), grey[:, 1:] - grey[:, 1:].mean()
    energy = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / energy if energy > 0 else 1.0  # a flat picture is another rule's


def luminance(crops: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float32]:
    """Area-averaged grey pictures, float32 ``(n, height, width)`` in 0..255, of RGB crops ``(n, S, S, 3)``."""
    grey = [
        cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_AREA)
        for crop in crops
    ]
    return np.array(grey, np.float32).reshape(-1, height, width)
