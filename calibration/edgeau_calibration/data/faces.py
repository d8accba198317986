"""From a whole picture to the crop that the network would see: the runtime's own landmarks and alignment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau.faces.alignment import Alignment
from edgeau.faces.landmarks import Landmarker, largest_face, open_landmarker
from edgeau_calibration.data.crops import central_crop, is_aligned

__all__ = ["FaceCropper"]

# The largest of so many faces is taken.
_FACES = 4


class FaceCropper(Closing):
    """Crops the largest face of a picture; MediaPipe is opened with the first picture that needs it.

    Args:
        alignment: the template of the network.
    """

    def __init__(self, alignment: Alignment) -> None:
        self.alignment = alignment
        self._landmarker: Landmarker | None = None

    def crop(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """The aligned crop, uint8 ``(size, size, 3)`` RGB, of a BGR frame's largest face; None without a face.

        Raises:
            DependencyError: no landmark package is installed.
        """
        found = self.crop_and_landmarks(frame)
        return None if found is None else found[0]

    def crop_of_picture(
        self, picture: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None] | None:
        """The aligned crop of a BGR picture, and the landmarks where they were looked for; None without a face.

        A picture of exactly the crop's or the canvas's size is a ready crop; any other goes through the runtime's landmarks
        and alignment, and its largest face is taken.

        Raises:
            DependencyError: no landmark package is installed.
        """
        height, width = picture.shape[:2]
        if is_aligned(height, width, self.alignment):
            return central_crop(picture, self.alignment.shape)[..., ::-1], None
        return self.crop_and_landmarks(picture)

    def crop_and_landmarks(
        self, frame: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
        """The crop of :meth:`crop` with the face's landmarks, float32 ``(478, 3)`` in pixels of the frame."""
        if self._landmarker is None:
            self._landmarker = open_landmarker(static=True, max_faces=_FACES)
        faces = self._landmarker.detect(frame)
        if not faces:
            return None
        landmarks = largest_face(faces)
        return self.alignment.crop(frame, landmarks)[..., ::-1], landmarks

    def close(self) -> None:
        """Give the landmark networks back; a second call does nothing."""
        if self._landmarker is not None:
            self._landmarker.close()
