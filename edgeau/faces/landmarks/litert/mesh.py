"""The points of one face: MediaPipe's face mesh networks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.network import LandmarkNetwork
from edgeau.faces.landmarks.litert.refinement import FEATURES, MAPS, PLACED, Refinement
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.mediapipe_models import Generation, ModelFile

__all__ = [
    "MESHES",
    "REFINED_INPUTS",
    "REFINED_OUTPUTS",
    "FaceMesh",
    "PlacedFace",
    "PlainMesh",
    "RefinedMesh",
    "TaskMesh",
]

_SIZE = 192
_TASK_SIZE = 256
_POINTS = 468
_ALL_POINTS = 478
_MIN_PRESENCE = 0.0  # a logit: more likely a face than none
_INPUT = {"input_1": (1, _SIZE, _SIZE, 3)}
_FIRST_STAGE = {"output_mesh": _POINTS * 3, "conv_faceflag": 1, FEATURES[0]: int(np.prod(FEATURES[1]))}

REFINED_INPUTS, REFINED_OUTPUTS = tuple({**_INPUT, **MAPS}), tuple({**_FIRST_STAGE, **PLACED})
"""Names of the tensors that both stages of :class:`RefinedMesh` are given, and of those that they answer with."""


@dataclass(frozen=True)
class PlacedFace:
    """The points of a face.

    Attributes:
        points: float32 ``(468 or 478, 3)``, x y z in pixels of the frame.
        presence: the network's logit of there being a face in what it was shown.
    """

    points: NDArray[np.float32]
    presence: float


class FaceMesh(ABC):
    """Places points on the face in a picture of it."""

    size: int = _SIZE
    """Pixels along a side of the picture that it looks at."""

    runtime: str
    """Package and version that runs it."""

    certain_presence: float = 17.0
    """Presence, a logit, from which on nothing but a face is seen, looked at along its own landmarks: what a small or turned
    face must reach. Both limits are ours (docs/decisions/finding-faces.md)."""

    likely_presence: float = 13.0
    """Presence below which landmarks are garbage more often than right: their AUs are refused."""

    certain_at_first: float = math.inf
    """Presence of a look along the detector's region from which on no second look is needed; measured for the refined mesh, as the next two."""

    trusted_score: float = math.inf
    """Score of the detector in a whole frame, 0..1, from which on a likely face is certain."""

    trusted_at_first: float = math.inf
    """:attr:`certain_at_first` at a place of such a score."""

    _network: LandmarkNetwork
    """Answers with the points, then the logit of there being a face."""

    def look(self, picture: NDArray[np.uint8]) -> float | None:
        """The network's logit of there being a face; None when there is none.

        Args:
            picture: picture of a region, uint8 ``(size, size, 3)``, BGR.
        """
        self._network.look(picture)
        presence = float(self._network.view(1)[0])
        return presence if presence >= _MIN_PRESENCE else None

    @abstractmethod
    def points(self) -> NDArray[np.float32]:
        """The points of the face that :meth:`look` saw last, float32 ``(468 or 478, 3)``, pixels of its picture."""

    def close(self) -> None:
        """Give the networks' memory back; a second call does nothing."""
        self._network.close()

    def place(self, frame: NDArray[np.uint8], region: Region) -> PlacedFace | None:
        """The points of the face in a region.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            region: where the face is.

        Returns:
            The face; None when there is none.
        """
        presence = self.presence(frame, region)
        if presence is None:
            return None
        (a, b, x), (c, d, y) = region.to_frame(self.size).tolist()
        # In float64: of a large frame's coordinates float32 leaves few digits to a product.
        placed = self.points() @ np.array(((a, c, 0), (b, d, 0), (0, 0, region.side / self.size)))
        placed += (x, y, 0)
        return PlacedFace(placed.astype(np.float32), presence)

    def presence(self, frame: NDArray[np.uint8], region: Region) -> float | None:
        """The network's logit of there being a face in a region, without its points; arguments as for :meth:`place`."""
        return self.look(region.crop(frame, self.size, cv2.BORDER_REPLICATE))


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

    certain_presence, likely_presence = 15.0, 12.0

    def __init__(self, file: ModelFile, threads: int) -> None:
        outputs = {"conv2d_21": _POINTS * 3, "conv2d_31": 1}
        self._network = LandmarkNetwork(file, threads, _INPUT, outputs)
        self.runtime = self._network.runtime

    def points(self) -> NDArray[np.float32]:  # noqa: D102
        return self._network.values(0).reshape(_POINTS, 3)


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

    certain_at_first, trusted_score, trusted_at_first = 20.0, 0.86, 15.0

    def __init__(self, file: ModelFile, threads: int) -> None:
        self._network = LandmarkNetwork(file, threads, _INPUT, _FIRST_STAGE)
        self._refinement = Refinement(file, threads)
        self.runtime = self._network.runtime

    def points(self) -> NDArray[np.float32]:  # noqa: D102
        points = self._network.values(0).reshape(_POINTS, 3)
        return self._refinement.refine(points, self._network.view(2).reshape(FEATURES[1]))

    def close(self) -> None:  # noqa: D102
        super().close()
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
    certain_presence, likely_presence = 10.0, 7.0

    def __init__(self, file: ModelFile, threads: int) -> None:
        inputs = {"input_12": (1, _TASK_SIZE, _TASK_SIZE, 3)}
        self._network = LandmarkNetwork(file, threads, inputs, {"Identity": _ALL_POINTS * 3, "Identity_1": 1})
        self.runtime = self._network.runtime

    def points(self) -> NDArray[np.float32]:  # noqa: D102
        return self._network.values(0).reshape(_ALL_POINTS, 3)


MESHES: Mapping[Generation, Callable[[ModelFile, int], FaceMesh]] = {
    "plain": PlainMesh,
    "refined": RefinedMesh,
    "task": TaskMesh,
}
"""What runs the mesh of each generation; called with the file and the number of threads."""
