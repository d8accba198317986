"""Landmarks from MediaPipe's own networks in LiteRT: where mediapipe cannot be installed, or is too much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.detection_frame import DetectionFrame
from edgeau.faces.landmarks.landmarker import Landmarker
from edgeau.faces.landmarks.litert.detection import FaceDetector
from edgeau.faces.landmarks.litert.mesh import MESHES, FaceMesh
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.litert.tracking import joined
from edgeau.faces.landmarks.mediapipe_models import read_models
from edgeau.sources.check_frame import check_frame

__all__ = ["LiteRtLandmarker"]


class LiteRtLandmarker(Landmarker):
    """478 points of each face, as the refined ``face_mesh`` of MediaPipe or its face landmarker gives them.

    Where only the plain mesh network is given, 468: without irises, eyes and lips less exact.

    It may be used in any thread, by one at a time.

    Args:
        static: every frame stands for itself (pictures); else faces are tracked from frame to frame (videos).
        max_faces: how many faces are looked for at most. While fewer are in view, every frame is searched for more.
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
        files = read_models(models)
        self._detector = FaceDetector(files.detector, threads)
        self._mesh: FaceMesh = MESHES[files.generation](files.mesh, threads)
        self._name = f"MediaPipe's {files.mesh.name} in {self._mesh.runtime}, {files.points} points"
        self._frame = DetectionFrame()
        self._followed: list[Region] = []

    def detect(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:  # noqa: D102
        rgb, extent = self._frame.convert(check_frame(frame))
        faces = [
            points for region in self._regions(rgb) if (points := self._mesh.place(rgb, region)) is not None
        ]
        if not self._static:
            self._followed = [Region.of_landmarks(points) for points in faces]
        scale = np.float32(extent[0] / rgb.shape[1])
        return faces if scale == 1 else [points * scale for points in faces]

    def describe(self) -> str:  # noqa: D102
        return self._name

    def reset(self) -> None:  # noqa: D102
        self._followed = []

    def close(self) -> None:  # noqa: D102
        self._detector.close()
        self._mesh.close()

    def _regions(self, rgb: NDArray[np.uint8]) -> list[Region]:
        if len(self._followed) >= self._max_faces:
            return self._followed
        found = self._detector.detect(rgb)[: self._max_faces]
        return joined(self._followed, found, self._max_faces)
