"""Action units that never act: ranges of an expression that no crop shows are too narrow for it."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_calibration.data.predicted_activity import Activity
from edgeau_calibration.linter.finding import Finding

__all__ = ["inactive_aus"]

# A small set of real faces misses a rare AU or two; a set without expressions misses most.
_SHARE = 0.5


def inactive_aus(activity: Activity) -> Iterator[Finding]:
    """Refuses sets in which more than half of the AUs are never active; names the missing ones otherwise."""
    missing = activity.missing
    if not missing:
        return
    yield Finding(
        "inactive-aus",
        f"{len(missing)} of {len(activity.labels)} AUs are active in no crop, by {activity.source}: {' '.join(missing)}",
        "add faces that show them",
        refuses=len(missing) > _SHARE * len(activity.labels),
    )
