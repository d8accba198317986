"""Wrong range: pictures that were divided by 255, or normalised, before they were stored as 8-bit levels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.linter.finding import Finding

__all__ = ["value_range"]

# (x / 255 - mean) / std reaches 2.7 at most; the darkest set of real faces that was seen reaches 200 and more.
_BRIGHTEST = 32


def value_range(found: CalibrationSet) -> Iterator[Finding]:
    """Refuses sets whose levels nowhere leave the bottom of 0..255."""
    brightest = float(np.percentile(found.crops, 99.9))
    if brightest < _BRIGHTEST:
        yield Finding(
            "range",
            f"levels reach {brightest:.0f} of 255, as after a division by 255 or a normalisation",
            "give the pictures as they are, 0..255: edgeau normalises them itself",
        )
