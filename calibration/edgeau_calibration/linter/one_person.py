"""One person only: by the identities of a data set that has them, else by what the crops look like.

Without identities and without a face recogniser, who is who cannot be known. What can be seen is whether nearly all crops
look like one recording: skin, hair, background and light in the same places. Two crops look alike when their 8 x 8 rasters
in the CIE L*a*b* colours differ little, and the light parts lie where the light parts of the other are. Measured shares of
pairs that look alike: 0.92 and 0.58 in videos of one person, 0.04 in a hundred persons of LFW, 0.01 in the packaged crops.
One person recorded at many places is not caught.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.linter.finding import LintFinding

__all__ = ["alike", "one_person"]

_CELLS = 8
# Mean distance of the cells, in OpenCV's 8-bit L*a*b*.
_NEAR = 30.0
_CORRELATED = 0.4
_SHARE = 0.5
_REMEDY = "ranges of one face in one light fit no other: give pictures of several persons, 8 or more"


def one_person(found: CalibrationSet) -> Iterator[LintFinding]:
    """Refuses sets of one identity, and sets in which more than half of all pairs look like one recording."""
    if found.persons is not None:
        if len(np.unique(found.persons)) == 1:
            yield LintFinding("one-person", f"all {len(found)} crops are of one identity", _REMEDY)
        return
    share = alike(found.crops)
    if share > _SHARE:
        yield LintFinding(
            "one-person",
            f"{share:.0%} of all pairs of crops look like one person in one place",
            _REMEDY,
        )


def alike(crops: NDArray[np.uint8]) -> float:
    """Share of all pairs of crops that look alike, 0..1; 0 for a single crop."""
    rasters = np.array([_raster(crop) for crop in crops], np.float32)
    one, other = np.triu_indices(len(crops), 1)
    if not len(one):
        return 0.0
    distance = np.linalg.norm(rasters[one] - rasters[other], axis=2).mean(axis=1)
    light = rasters[:, :, 0] - rasters[:, :, 0].mean(axis=1, keepdims=True)
    light /= np.linalg.norm(light, axis=1, keepdims=True) + 1e-6
    correlation = (light[one] * light[other]).sum(axis=1)
    return float(((distance < _NEAR) & (correlation > _CORRELATED)).mean())


def _raster(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``(64, 3)``: L*, a*, b* of an 8 x 8 raster."""
    colours = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    return cv2.resize(colours, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.uint8)
