"""MediaPipe's face mesh on rendered pictures."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray


class FaceFinder:
    """Finds the refined face mesh (478 points) of still pictures. One per process; MediaPipe is loaded here."""

    def __init__(self) -> None:
        os.environ.setdefault("GLOG_minloglevel", "3")
        import mediapipe

        self._mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.5
        )

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Return (478, 3) float32 x, y, z in pixels of image (H, W, 3) uint8 RGB, or None without a face."""
        faces = self._mesh.process(image).multi_face_landmarks
        if not faces:
            return None
        height, width = image.shape[:2]
        points = np.array([(point.x, point.y, point.z) for point in faces[0].landmark], np.float64)
        return np.asarray(points * (width, height, width), np.float32)
