"""Landmarks from MediaPipe's own networks in LiteRT: where mediapipe cannot be installed, or is too much."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.detection_frame import in_larger_frame, shrunk
from edgeau.faces.landmarks.landmarker import FaceLandmarks, Landmarker
from edgeau.faces.landmarks.litert.checking import FaceChecker
from edgeau.faces.landmarks.litert.detection import FaceDetector
from edgeau.faces.landmarks.litert.mesh import MESHES, FaceMesh
from edgeau.faces.landmarks.litert.picture_sequence import PictureSequence
from edgeau.faces.landmarks.litert.tracking import Tracking
from edgeau.faces.landmarks.mediapipe_models import read_models
from edgeau.sources.check_frame import check_frame

__all__ = ["LiteRtLandmarker"]


class LiteRtLandmarker(Landmarker):
    """478 points of each face, as the refined ``face_mesh`` of MediaPipe or its face landmarker gives them.

    Where only the plain mesh network is given, 468: without irises, eyes and lips less exact.

    It may be used in any thread, by one at a time.

    Args:
        static: every frame stands for itself (pictures); else faces are tracked from frame to frame (videos).
        max_faces: how many faces are looked for at most. While fewer are in view, frames are searched for more.
        models: where the networks are, see :func:`edgeau.faces.landmarks.mediapipe_models.read_models`.
        threads: that one inference may use.

    Raises:
        DependencyError: no LiteRT is installed, or no models are there.
        EngineError: LiteRT refuses a model.
        InputError: ``models`` has none of them, or they are others.
    """

    def __init__(self, *, static: bool, max_faces: int, models: Path | None = None, threads: int = 1) -> None:
        self._static = static
        self._max_faces = max_faces
        # Of the frame before, as it was given: frames of two sizes may be shrunk to the same one.
        self._shape: tuple[int, ...] = ()
        files = read_models(models)
        self._detector = FaceDetector(files.detector, threads)
        self._mesh: FaceMesh = MESHES[files.generation](files.mesh, threads)
        self._name = f"MediaPipe's {files.mesh.name} in {self._mesh.runtime}, {files.points} points"
        self._checker = FaceChecker(self._mesh)
        self._pictures = PictureSequence(self._detector, self._checker)
        self._tracking = Tracking(self._detector, self._checker)

    def sibling(self, *, static: bool) -> Landmarker:  # noqa: D102
        other = copy(self)
        other._static = static
        other._pictures = PictureSequence(self._detector, self._checker)
        other._tracking = Tracking(self._detector, self._checker)
        return other

    def detect(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:  # noqa: D102
        return [face.points for face in self.find(frame)]

    def find(  # noqa: D102
        self,
        frame: NDArray[np.uint8],
        *,
        far: bool = False,
        most: int | None = None,
        follow: bool = False,
        search_every: int = 1,
    ) -> list[FaceLandmarks]:
        most = min(most or self._max_faces, self._max_faces)
        small, factor = shrunk(check_frame(frame))
        follow, self._shape = follow and frame.shape == self._shape, frame.shape
        if self._static:
            faces = self._pictures.faces(small, most, far=far, follow=follow)
        else:
            faces = self._tracking.faces(small, most, far=far, search_every=search_every)
        return [
            FaceLandmarks(
                face.points if factor == 1 else in_larger_frame(face.points, factor, factor),
                is_reliable=face.is_reliable,
            )
            for face in faces
        ]

    def smallest(self, *, far: bool) -> float:  # noqa: D102
        return 0.025 if far else 0.115

    def describe(self) -> str:  # noqa: D102
        return self._name

    def reset(self) -> None:  # noqa: D102
        self._pictures.reset()
        self._tracking.reset()

    def close(self) -> None:  # noqa: D102
        self._detector.close()
        self._mesh.close()
