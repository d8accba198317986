"""Faces in a whole frame: MediaPipe's short-range detector."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.anchors import ANCHORS
from edgeau.faces.landmarks.litert.network import Network
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.mediapipe_models import ModelFile
from edgeau.metrics import sigmoid

__all__ = ["FaceDetector", "merge"]

_SIZE = 128
_MIN_SCORE = 0.5
# Boxes that share more than this of their joint area are one face.
_SAME_FACE = 0.3
# An output row: box centre and size, then x y of six points, all in pixels of the input and relative to the anchor. The
# first two points are the person's right and left eye.
_ROW, _BOX = 16, 4


class FaceDetector:
    """Finds faces that are at least some 10 % of the frame's long side.

    Args:
        file: ``face_detection_short_range.tflite``.
        threads: that one inference may use.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: it is another model.
    """

    def __init__(self, file: ModelFile, threads: int) -> None:
        count = len(ANCHORS)
        inputs = {"input": (1, _SIZE, _SIZE, 3)}
        outputs = {"regressors": count * _ROW, "classificators": count}
        self._network = Network(file, threads, inputs, outputs)

    def detect(self, frame: NDArray[np.uint8]) -> list[Region]:
        """Regions of the faces, the surest first.

        Args:
            frame: RGB, uint8 ``(height, width, 3)``.
        """
        height, width = frame.shape[:2]
        whole = Region(width / 2, height / 2, float(max(height, width)), 0.0)
        picture = whole.crop(frame, _SIZE, cv2.BORDER_CONSTANT)
        rows, scores = self._network.run(picture.astype(np.float32) / np.float32(127.5) - np.float32(1))
        faces = _decode(rows.reshape(-1, _ROW), sigmoid(scores))
        corner = np.array((whole.x, whole.y)) - whole.side / 2
        return [_region(face * whole.side + corner) for face in faces]

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._network.close()


def _decode(rows: NDArray[np.float32], scores: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Faces as float32 ``(8, 2)`` in shares of the input: upper left and lower right corner, then six points."""
    sure = scores >= _MIN_SCORE
    centres = ANCHORS[sure][:, None]
    points = rows[sure].reshape(-1, _ROW // 2, 2) / np.float32(_SIZE)
    middle, half = points[:, :1] + centres, points[:, 1:2] / 2
    faces = np.concatenate((middle - half, middle + half, points[:, _BOX // 2 :] + centres), axis=1)
    return merge(faces, scores[sure])


def merge(faces: NDArray[np.float32], scores: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """One face where several boxes lie on each other: their mean, weighted by their scores.

    This is the ``WEIGHTED`` algorithm of MediaPipe's ``NonMaxSuppressionCalculator``.

    Args:
        faces: float32 ``(n, 2 or more, 2)``, the first two points are the corners of the box.
        scores: float32 ``(n,)``, 0..1.

    Returns:
        The merged faces, ``(2 or more, 2)`` each, the surest first.
    """
    order = np.argsort(-scores, kind="stable")
    faces, scores = faces[order], scores[order]
    merged = []
    while len(faces):
        same = _overlaps(faces[0], faces) > _SAME_FACE
        same[0] = True  # a box without area overlaps nothing, itself included
        weights = scores[same] / scores[same].sum()
        merged.append((faces[same] * weights[:, None, None]).sum(axis=0))
        faces, scores = faces[~same], scores[~same]
    return merged


def _overlaps(face: NDArray[np.float32], faces: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shared over joint area of one box with many, float32 ``(n,)``."""
    low = np.maximum(face[0], faces[:, 0])
    high = np.minimum(face[1], faces[:, 1])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = np.clip(faces[:, 1] - faces[:, 0], 0, None).prod(axis=1)
    joint = np.clip(face[1] - face[0], 0, None).prod() + areas - shared
    overlaps: NDArray[np.float32] = np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)
    return overlaps


def _region(face: NDArray[np.floating[Any]]) -> Region:
    return Region.around(face[:2].ravel(), face[2], face[3])
