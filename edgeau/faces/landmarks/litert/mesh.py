"""The points of one face: MediaPipe's face mesh networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.network import Network
from edgeau.faces.landmarks.litert.refinement import FEATURES, Refinement
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.mediapipe_models import Generation, ModelFile
from edgeau.metrics import sigmoid

__all__ = ["MESHES", "FaceMesh", "PlainMesh", "RefinedMesh", "TaskMesh"]

_SIZE = 192
_TASK_SIZE = 256
_POINTS = 468
_ALL_POINTS = 478
_MIN_PRESENCE = 0.5
_INPUT = {"input_1": (1, _SIZE, _SIZE, 3)}


class FaceMesh(ABC):
    """Places points on the face in a picture of it."""

    size: int = _SIZE
    """Pixels along a side of the picture that it looks at."""

    runtime: str
    """Package and version that runs it."""

    @abstractmethod
    def points(self, picture: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The points.

        Args:
            picture: of a region, float32 ``(size, size, 3)``, RGB, 0..1.

        Returns:
            float32 ``(468 or 478, 3)``, pixels of ``picture``; None when there is no face.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the networks' memory back; a second call does nothing."""

    def place(self, frame: NDArray[np.uint8], region: Region) -> NDArray[np.float32] | None:
        """The points of the face in a region.

        Args:
            frame: RGB, uint8 ``(height, width, 3)``.
            region: where the face is.

        Returns:
            float32 ``(468 or 478, 3)``, x y z in pixels of the frame; None when there is no face.
        """
        picture = region.crop(frame, self.size, cv2.BORDER_REPLICATE)
        points = self.points(picture.astype(np.float32) / np.float32(255))
        if points is None:
            return None
        matrix = region.to_frame(self.size)
        placed = np.empty_like(points)
        placed[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        placed[:, 2] = points[:, 2] * (region.side / self.size)
        return placed


class PlainMesh(FaceMesh):
    """468 points.

    Args:
        file: ``face_landmark.tflite``.
        threads: that one inference may use.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: it is another model.
    """

    def __init__(self, file: ModelFile, threads: int) -> None:
        outputs = {"conv2d_21": _POINTS * 3, "conv2d_31": 1}
        self._network = Network(file, threads, _INPUT, outputs)
        self.runtime = self._network.runtime

    def points(self, picture: NDArray[np.float32]) -> NDArray[np.float32] | None:  # noqa: D102
        points, presence = self._network.run(picture)
        return points.reshape(_POINTS, 3) if _is_face(presence) else None

    def close(self) -> None:  # noqa: D102
        self._network.close()


class RefinedMesh(FaceMesh):
    """478 points: those of lips and eyes placed more exactly, and the irises.

    Args:
        file: ``face_landmark_with_attention.tflite``.
        threads: that one inference may use.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: it is another model.
    """

    def __init__(self, file: ModelFile, threads: int) -> None:
        features, shape = FEATURES
        outputs = {"output_mesh": _POINTS * 3, "conv_faceflag": 1, features: int(np.prod(shape))}
        self._network = Network(file, threads, _INPUT, outputs)
        self._refinement = Refinement(file, threads)
        self.runtime = self._network.runtime

    def points(self, picture: NDArray[np.float32]) -> NDArray[np.float32] | None:  # noqa: D102
        points, presence, features = self._network.run(picture)
        if not _is_face(presence):
            return None
        return self._refinement.refine(points.reshape(_POINTS, 3), features.reshape(FEATURES[1]))

    def close(self) -> None:  # noqa: D102
        self._network.close()
        self._refinement.close()


class TaskMesh(FaceMesh):
    """478 points at once, from a picture of 256 x 256 pixels.

    Args:
        file: ``face_landmarks_detector.tflite`` of ``face_landmarker.task``.
        threads: that one inference may use.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: it is another model.
    """

    size = _TASK_SIZE

    def __init__(self, file: ModelFile, threads: int) -> None:
        inputs = {"input_12": (1, _TASK_SIZE, _TASK_SIZE, 3)}
        self._network = Network(file, threads, inputs, {"Identity": _ALL_POINTS * 3, "Identity_1": 1})
        self.runtime = self._network.runtime

    def points(self, picture: NDArray[np.float32]) -> NDArray[np.float32] | None:  # noqa: D102
        points, presence = self._network.run(picture)
        return points.reshape(_ALL_POINTS, 3) if _is_face(presence) else None

    def close(self) -> None:  # noqa: D102
        self._network.close()


MESHES: Mapping[Generation, Callable[[ModelFile, int], FaceMesh]] = {
    "plain": PlainMesh,
    "refined": RefinedMesh,
    "task": TaskMesh,
}
"""What runs the mesh of each generation; called with the file and the number of threads."""


def _is_face(presence: NDArray[np.float32]) -> bool:
    return bool(sigmoid(presence)[0] >= _MIN_PRESENCE)
