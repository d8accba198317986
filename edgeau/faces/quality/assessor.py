"""Assessing one face's picture, between its alignment and the networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import au_number_or_none
from edgeau.faces.quality.limits import Limits
from edgeau.faces.quality.occlusion import covered_regions
from edgeau.faces.quality.picture import centre, clipped_share, sharpness
from edgeau.faces.quality.regions import AU_REGIONS, REGIONS
from edgeau.faces.quality.size import five_point_size
from edgeau.results import Box, FaceQuality, HeadPose, Reason, Region

__all__ = ["QualityAssessor"]

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
            pose: of the head; None leaves it out.
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
        refused = self.refused(found, pose)
        return replace(found, refused=refused) if refused else found

    def refused(self, found: FaceQuality, pose: HeadPose | None) -> dict[str, Reason]:
        """The AUs that measures speak against, and why; empty when all can be judged."""
        refused: dict[str, Reason] = {}
        for regions, limits, labels in self._groups:
            reason = _reason(found, pose, regions, limits)
            if reason is not None:
                refused.update(dict.fromkeys(labels, reason))
        return refused


def _reason(
    found: FaceQuality, pose: HeadPose | None, regions: tuple[Region, ...], limits: Limits
) -> Reason | None:
    """The first thing that speaks against judging an AU that shows in some regions, in the order of REASONS."""
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
