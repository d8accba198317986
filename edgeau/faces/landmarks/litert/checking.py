"""Landmarks that are looked at a second time, so that garbage does not pass for a face."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.mesh import FaceMesh, PlacedFace
from edgeau.faces.landmarks.litert.region import Region, overlap

__all__ = ["CheckedFace", "FaceChecker"]

# A region of the detector that overlaps the landmarks' own this much is looked at nearly along them. Ours, with the mesh's
# ``certain_at_first``: docs/decisions/finding-faces.md.
_ALONG = 0.6
_OTHER_TURNS = (2, 1, 3)  # upside down is the usual mistake of a camera's mounting


@dataclass(frozen=True)
class CheckedFace:
    """A face, and how sure the mesh network is of it.

    Attributes:
        points: float32 ``(468 or 478, 3)``, x y z in pixels of the frame.
        presence: the network's logit when it looked along the face's own landmarks.
        is_certain: whether nothing but a face looks like this.
        is_reliable: whether the landmarks are rather right than garbage.
        region: where to look for the face in the next frame.
        is_settled: whether it was looked at along these very landmarks, so that another look would say the same.
    """

    points: NDArray[np.float32]
    presence: float
    is_certain: bool
    is_reliable: bool
    region: Region
    is_settled: bool = True


class FaceChecker:
    """Places landmarks and checks them.

    The network tells from a face that it looks at along its own landmarks whether there is one, by a logit that separates
    right landmarks from garbage nearly without overlap; of its first look, along the detector's box, it does not
    (docs/decisions/finding-faces.md).

    Args:
        mesh: that places the points.
    """

    def __init__(self, mesh: FaceMesh) -> None:
        self._mesh = mesh

    def first_look(
        self, frame: NDArray[np.uint8], region: Region, *, keep: bool, score: float = 0.0
    ) -> CheckedFace | None:
        """A face at a place that the detector found; None when there is none.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            region: region of the detector.
            keep: give the points of the first look, which are MediaPipe's; else those of the second, which are better
                where the region was not.
            score: the detector's, where it saw the whole frame: what it is sure of need not convince the mesh as much.
        """
        first = self._mesh.place(frame, region)
        if first is None:
            return None
        along = Region.of_landmarks(first.points)
        if keep:
            trusted = score >= self._mesh.trusted_score
            enough = self._mesh.trusted_at_first if trusted else self._mesh.certain_at_first
            if first.presence >= enough and overlap(region, along) >= _ALONG:
                return replace(self._checked(first, first.presence), is_certain=True)
            presence = self._mesh.presence(frame, along)
            face = self._checked(first, -math.inf if presence is None else presence)
            return replace(face, is_certain=True) if trusted and face.is_reliable else face
        second = self._mesh.place(frame, along)
        if second is None:
            return self._checked(first, -math.inf)
        return self._checked(second, second.presence)

    def next_look(self, frame: NDArray[np.uint8], region: Region) -> CheckedFace | None:
        """A face that was in the frame before, along the landmarks that it had there; None when it is gone.

        Whether one is certain that is reliable as it is stays open until somebody asks (:meth:`settle`): it costs another look.
        """
        placed = self._mesh.place(frame, region)
        if placed is None:
            return None
        face = replace(self._checked(placed, placed.presence), is_settled=False)
        return face if face.is_reliable else self.settle(frame, face)

    def settle(self, frame: NDArray[np.uint8], face: CheckedFace) -> CheckedFace:
        """The face as sure as it can be; it may have moved since the frame before: what counts is how it looks along the landmarks that it has now."""
        if face.is_certain or face.is_settled:
            return face
        again = self._mesh.presence(frame, face.region)
        return self._of_presence(
            face.points, max(face.presence, -math.inf if again is None else again), face.region
        )

    def find_turned(self, frame: NDArray[np.uint8], region: Region) -> CheckedFace | None:
        """The surest face that shows when a region is turned by quarters; None when none of them shows one for certain."""
        tried = (self.first_look(frame, region.turn(turn), keep=False) for turn in _OTHER_TURNS)
        certain = [face for face in tried if face is not None and face.is_certain]
        return max(certain, key=lambda face: face.presence, default=None)

    def _checked(self, placed: PlacedFace, presence: float) -> CheckedFace:
        return self._of_presence(placed.points, presence, Region.of_landmarks(placed.points))

    def _of_presence(self, points: NDArray[np.float32], presence: float, region: Region) -> CheckedFace:
        return CheckedFace(
            points,
            presence,
            is_certain=presence >= self._mesh.certain_presence,
            is_reliable=presence >= self._mesh.likely_presence,
            region=region,
        )
