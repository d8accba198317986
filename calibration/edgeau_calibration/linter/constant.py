"""Constant data: flat pictures, and one picture again and again."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.linter.finding import Finding
from edgeau_calibration.linter.luminance import luminance

__all__ = ["constant"]

# Standard deviation of the levels of a crop; faces in fog and night have 14 and more.
_FLAT = 4.0
_SHARE = 0.1


def constant(found: CalibrationSet) -> Iterator[Finding]:
    """Refuses sets of which more than a tenth are flat pictures."""
    flat = luminance(found.crops, 32, 32).std(axis=(1, 2)) < _FLAT
    if flat.mean() > _SHARE:
        yield Finding(
            "constant",
            f"{flat.sum()} of {len(found)} crops show one even colour",
            "calibrate on faces: ranges of an empty picture clip every real one",
        )
