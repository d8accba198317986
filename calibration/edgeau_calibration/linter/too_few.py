"""Too few crops, or too few different ones."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.linter.finding import Finding

__all__ = ["MINIMUM", "WANTED", "too_few"]

# Ours: ranges from fewer faces are those of one person in one light.
MINIMUM = 8
WANTED = 128


def too_few(found: CalibrationSet, wanted: int = WANTED) -> Iterator[Finding]:
    """Refuses sets of fewer than :data:`MINIMUM` crops."""
    if len(found) < MINIMUM:
        yield Finding(
            "too-few",
            f"it gives {len(found)} face crops",
            f"calibration needs {MINIMUM} at the least, {wanted} are wanted",
        )
