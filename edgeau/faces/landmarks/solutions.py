"""Landmarks from ``mediapipe.solutions.face_mesh``: mediapipe up to 0.10.21, its models inside its wheel."""

from __future__ import annotations

import locale
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.native_stderr import native_lines_dropped
from edgeau.faces.landmarks.detection_frame import DetectionFrame, in_larger_frame
from edgeau.faces.landmarks.landmarker import Landmarker
from edgeau.sources.check_frame import check_frame

__all__ = ["SolutionsLandmarker"]

# What MediaPipe writes while it starts: notes and warnings of its logger, and that of LiteRT inside it; not its errors.
_GREETING = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate|WARNING: All log messages before absl|[IW]\d{4} \d\d:\d\d:\d"
)
# MediaPipe writes its last start-up line when the first face reaches its last network.
_SILENT_FRAMES = 2


class SolutionsLandmarker(Landmarker):
    """478 points of each face, irises refined.

    Args:
        static: every frame stands for itself (pictures); else faces are tracked from frame to frame (videos), which is
            faster and calmer.
        max_faces: how many faces are looked for at most. While fewer are in view, tracking searches the whole frame
            again and again, so a larger number costs time.

    Raises:
        ImportError: mediapipe is not installed, or has no ``solutions``.
    """

    def __init__(self, *, static: bool, max_faces: int) -> None:
        self._options = {"static_image_mode": static, "max_num_faces": max_faces, "refine_landmarks": True}
        self._frame = DetectionFrame()
        self._fresh = True
        self._mesh: Any = None
        self._open()

    def detect(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:  # noqa: D102
        rgb, factor = self._frame.convert(check_frame(frame))
        faces = self._process(rgb).multi_face_landmarks
        if not faces:
            return []
        height, width = rgb.shape[:2]
        found = [points(face, np.array((width, height, width), np.float32)) for face in faces]
        return found if factor == 1 else [in_larger_frame(face, factor, factor) for face in found]

    def describe(self) -> str:  # noqa: D102
        return f"mediapipe {self._version}, solutions.face_mesh, 478 points"

    def reset(self) -> None:  # noqa: D102
        if self._fresh or self._options["static_image_mode"]:
            return
        self.close()
        self._open()

    def close(self) -> None:  # noqa: D102
        mesh, self._mesh = self._mesh, None
        if mesh is not None:
            mesh.close()

    def _open(self) -> None:
        with native_lines_dropped(_GREETING), _decimal_points():
            from mediapipe import __version__ as version
            from mediapipe.python.solutions import face_mesh

            self._version = version
            self._mesh = face_mesh.FaceMesh(**self._options)
            # The networks open in threads of their own and write when they do; a frame makes us wait for them.
            self._mesh.process(np.zeros((64, 64, 3), np.uint8))
        self._fresh = True
        self._silent_frames = _SILENT_FRAMES

    def _process(self, rgb: NDArray[np.uint8]) -> Any:
        if self._mesh is None:
            raise ValueError("this landmarker is closed")
        self._fresh = False
        if not self._silent_frames:
            return self._mesh.process(rgb)
        with native_lines_dropped(_GREETING):
            result = self._mesh.process(rgb)
        if result.multi_face_landmarks:
            self._silent_frames -= 1
        return result


@contextmanager
def _decimal_points() -> Iterator[None]:
    """Numbers with a point while mediapipe is imported and opened: its protobuf reads defaults such as 0.5 by the locale."""
    before = locale.setlocale(locale.LC_NUMERIC)
    if locale.localeconv()["decimal_point"] == ".":
        yield
        return
    locale.setlocale(locale.LC_NUMERIC, "C")
    try:
        yield
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


# A serialized landmark: a tag and a length, then each of x y z, four bytes behind a tag of one.
_POINT_BYTES = 17
_FIRST_BYTE, _STEP_BYTES = 3, 5


def points(face: Any, scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """A landmark list of MediaPipe as an array, float32 ``(n, 3)``, its x y z times ``scale``, ``(3,)``.

    The serialized list is an array already, which is 20 times faster than reading the attributes of every point. Should
    another version of MediaPipe write it in another layout, the attributes are read.
    """
    wire = face.SerializeToString()
    count, rest = divmod(len(wire), _POINT_BYTES)
    shares: NDArray[np.float32]
    if rest or not _has_tags(wire):
        shares = np.array([(point.x, point.y, point.z) for point in face.landmark], np.float32)
    else:
        shares = np.ndarray((count, 3), "<f4", wire, _FIRST_BYTE, (_POINT_BYTES, _STEP_BYTES))
    scaled: NDArray[np.float32] = shares * scale
    return scaled


def _has_tags(wire: bytes) -> bool:
    """Tell whether the first point lies as expected; with the length right, so do the others."""
    return wire[:3] == b"\x0a\x0f\x0d" and wire[7] == 0x15 and wire[12] == 0x1D
