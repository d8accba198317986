"""Which regions of a frame to look at: those where faces were, and those where new ones were found."""

from __future__ import annotations

from collections.abc import Sequence

from edgeau.faces.landmarks.litert.region import Region, overlap

__all__ = ["joined"]

# A found face whose region overlaps a followed one this much is the followed one (``AssociationNormRectCalculator``).
_SAME_FACE = 0.5


def joined(followed: Sequence[Region], found: Sequence[Region], most: int) -> list[Region]:
    """Regions to look at.

    Args:
        followed: where the faces of the last frame are.
        found: by the detector in this frame, the surest first.
        most: how many at most; followed faces come first. MediaPipe itself may exceed its number here for a frame.
    """
    regions = list(followed)
    for region in found:
        if all(overlap(region, other) <= _SAME_FACE for other in regions):
            regions.append(region)
    return regions[:most]
