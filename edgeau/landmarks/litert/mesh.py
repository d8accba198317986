"""The points of one face: MediaPipe's face mesh network, without its refinement of eyes and lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.landmarks.litert.network import Network
from edgeau.landmarks.litert.region import Region
from edgeau.probability import sigmoid

__all__ = ["FaceMesh"]

_SIZE = 192
_POINTS = 468
_MIN_PRESENCE = 0.5


class FaceMesh:
    """Places 468 points on the face in a region.

    Args:
        model: content of ``face_landmark.tflite``.
        name: where it comes from, for messages.
        threads: that one inference may use.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: it is another model.
    """

    def __init__(self, model: bytes, name: str, threads: int) -> None:
        self._network = Network(model, name, threads, (1, _SIZE, _SIZE, 3), (_POINTS * 3, 1))
        self.runtime = self._network.runtime

    def place(self, frame: NDArray[np.uint8], region: Region) -> NDArray[np.float32] | None:
        """The points of the face in a region.

        Args:
            frame: RGB, uint8 ``(height, width, 3)``.
            region: where the face is.

        Returns:
            float32 ``(468, 3)``, x y z in pixels of the frame; None when there is no face.
        """
        picture = region.crop(frame, _SIZE, cv2.BORDER_REPLICATE)
        values, presence = self._network.run(picture.astype(np.float32) / np.float32(255))
        if sigmoid(presence)[0] < _MIN_PRESENCE:
            return None
        points = values.reshape(_POINTS, 3)
        matrix = region.to_frame(_SIZE)
        placed = np.empty((_POINTS, 3), np.float32)
        placed[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        placed[:, 2] = points[:, 2] * (region.side / _SIZE)
        return placed

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._network.close()
