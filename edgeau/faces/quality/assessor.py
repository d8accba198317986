"""Assessing one face's picture, between its alignment and the networks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import au_number_or_none
from edgeau.faces.alignment import five_points
from edgeau.faces.quality.limits import Limits
from edgeau.faces.quality.occlusion import covered_regions
from edgeau.faces.quality.picture import centre, clipped_share, sharpness
from edgeau.results import Box, FaceQuality, HeadPose, Reason, Region

__all__ = ["AU_REGIONS", "REGIONS", "QualityAssessor", "five_point_size"]

# Mesh indices, both sides of the face alike. "brows" reaches up over the forehead, where AU1 and AU4 draw lines;
# "mouth" down to the chin, which AU17 bunches.
REGIONS: dict[Region, tuple[int, ...]] = {
    "brows": (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300, 69, 108, 151, 337, 299),
    "eyes": (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    "cheeks": (117, 118, 101, 50, 205, 346, 347, 330, 280, 425),
    "nose": (168, 6, 197, 195, 5, 4, 98, 327, 49, 279),
    "mouth": (61, 291, 40, 270, 0, 13, 14, 17, 91, 321, 18, 200, 199, 175, 152, 57, 287),
}

# Where the Facial Action Coding System has a coder look (Ekman & Friesen 1978), by AU number. AU6 raises the cheeks and
# wrinkles the skin beside the eyes; AU9 wrinkles the nose; AU10 lifts the upper lip beside it.
AU_REGIONS: dict[int, tuple[Region, ...]] = {
    1: ("brows",),
    2: ("brows",),
    4: ("brows",),
    5: ("eyes",),
    6: ("eyes", "cheeks"),
    7: ("eyes",),
    9: ("nose",),
    43: ("eyes",),
    45: ("eyes",),
    10: ("nose", "mouth"),
    **dict.fromkeys((12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28), ("mouth",)),
}
"""AU number to the regions that it shows in; an AU that is not listed (head turns) shows in the face as a whole."""


_POINTS = np.array([index for points in REGIONS.values() for index in points], np.intp)
_STARTS = np.cumsum([0, *(len(points) for points in REGIONS.values())][:-1])
_COUNTS = np.array([len(points) for points in REGIONS.values()])
_ALL: tuple[Region, ...] = tuple(REGIONS)


class QualityAssessor:
    """Assesses faces for the AUs of one model.

    Args:
        labels: the AUs that are given.
        limits: where an AU is refused.
    """

    def __init__(self, labels: Iterable[str], limits: Limits | None = None) -> None:
        groups: dict[tuple[tuple[Region, ...], Limits], list[str]] = {}
        for label in labels:
            number = au_number_or_none(label)
            everywhere = limits or Limits()
            # A free label may show anywhere in the face.
            what = (
                (_ALL, everywhere)
                if number is None
                else (AU_REGIONS.get(number, _ALL), everywhere.for_au(number))
            )
            groups.setdefault(what, []).append(label)
        self._groups = [(*what, members) for what, members in groups.items()]

    def assess(
        self,
        frame: NDArray[np.uint8],
        landmarks: NDArray[np.float32],
        box: Box,
        crop: NDArray[np.uint8],
        pose: HeadPose | None = None,
    ) -> FaceQuality:
        """One face.

        Args:
            frame: uint8 ``(height, width, 3)``, BGR.
            landmarks: ``(468 or 478, 3)``, pixels of the frame.
            box: around the landmarks.
            crop: the aligned crop, uint8 ``(size, size, 3)``, BGR.
            pose: pose of the head; None leaves it out.
        """
        middle = centre(crop)
        grey: NDArray[np.uint8] = cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
        found = FaceQuality(
            size=five_point_size(landmarks),
            sharpness=sharpness(grey),
            light=cv2.mean(grey)[0],
            clipped=clipped_share(middle),
            visible=_visible(frame.shape, landmarks, box),
            covered=covered_regions(frame, landmarks),
        )
        refused = self.refusals(found, pose)
        return replace(found, refused=refused) if refused else found

    def refusals(self, found: FaceQuality, pose: HeadPose | None) -> dict[str, Reason]:
        """The AUs that measures speak against, and why; empty when all can be read."""
        refused: dict[str, Reason] = {}
        for regions, limits, labels in self._groups:
            reason = _reason(found, pose, regions, limits)
            if reason is not None:
                refused.update(dict.fromkeys(labels, reason))
        return refused


def _reason(
    found: FaceQuality, pose: HeadPose | None, regions: tuple[Region, ...], limits: Limits
) -> Reason | None:
    """The first thing that speaks against reading an AU that shows in some regions, in the order of REASONS."""
    if any(found.visible[region] < limits.min_visible for region in regions):
        return "out of frame"
    if found.size < limits.min_size:
        return "size"
    if pose is not None and (abs(pose.yaw) > limits.max_yaw or abs(pose.pitch) > limits.max_pitch):
        return "pose"
    if found.light < limits.min_light or (
        found.light < limits.min_light_in_noise and found.sharpness > limits.max_grain
    ):
        return "dark"
    if found.clipped > limits.max_clipped:
        return "bright"
    if limits.occlusion and not found.covered.isdisjoint(regions):
        return "occluded"
    return "blur" if found.sharpness < limits.min_sharpness else None


def _visible(shape: tuple[int, ...], landmarks: NDArray[np.float32], box: Box) -> dict[Region, float]:
    """The share of each region's points that lie inside the frame."""
    height, width = shape[:2]
    if (
        box.left >= 0
        and box.top >= 0
        and box.left + box.width <= width - 1
        and box.top + box.height <= height - 1
    ):
        return dict.fromkeys(_ALL, 1.0)  # nearly always
    points = landmarks.take(_POINTS, axis=0)[:, :2]
    inside = ((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1)
    shares = np.add.reduceat(inside, _STARTS, dtype=np.intp) / _COUNTS
    return dict(zip(_ALL, shares.tolist(), strict=True))


def five_point_size(landmarks: NDArray[np.float32]) -> float:
    """Longer side of the box around eye centres, nose tip and mouth corners with the eyes level, pixels.

    It is what :class:`~edgeau.faces.alignment.Alignment` scales by: a crop shows ``margin`` times as many pixels a side.

    Args:
        landmarks: ``(468 or 478, 2 or 3)``, pixels of the frame.
    """
    points = five_points(landmarks).tolist()
    (left_x, left_y), (right_x, right_y) = points[:2]
    length = math.hypot(right_x - left_x, right_y - left_y)
    if not length > 0:
        return 0.0
    cos, sin = (right_x - left_x) / length, (right_y - left_y) / length
    across = [cos * x + sin * y for x, y in points]
    down = [cos * y - sin * x for x, y in points]
    longer: float = max(max(across) - min(across), max(down) - min(down))
    return longer
