"""Sets that show too little: too few crops, or too few of the action units."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_calibration.data.crops import MINIMUM, WANTED, CalibrationSet
from edgeau_calibration.data.selection import Activity
from edgeau_calibration.linter.finding import LintFinding

__all__ = ["inactive_aus", "too_few"]


def too_few(found: CalibrationSet, wanted: int = WANTED) -> Iterator[LintFinding]:
    """Refuses sets of fewer than :data:`MINIMUM` crops."""
    if len(found) < MINIMUM:
        yield LintFinding(
            "too-few",
            f"it gives {len(found)} face crops",
            f"calibration needs {MINIMUM} at the least, {wanted} are wanted",
        )


# A small set of real faces misses a rare AU or two; a set without expressions misses most.
_SHARE = 0.5


def inactive_aus(activity: Activity) -> Iterator[LintFinding]:
    """Refuses sets in which more than half of the AUs are never active; names the missing ones otherwise."""
    missing = activity.missing
    if not missing:
        return
    yield LintFinding(
        "inactive-aus",
        f"{len(missing)} of {len(activity.labels)} AUs are active in no crop, by {activity.source}: {' '.join(missing)}",
        "add faces that show them",
        refuses=len(missing) > _SHARE * len(activity.labels),
    )
