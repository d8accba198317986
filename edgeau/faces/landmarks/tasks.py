"""Landmarks from ``mediapipe.tasks``: mediapipe from 0.10.30 and 1.x, with a ``.task`` file that the user brings."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edgeau._system.native_stderr import native_stderr_silenced
from edgeau.errors import InputError
from edgeau.faces.landmarks.detection_frame import DetectionFrame
from edgeau.faces.landmarks.landmarker import Landmarker
from edgeau.sources.check_frame import check_frame

__all__ = ["TasksLandmarker"]

_SILENT_FRAMES = 2
# Tracking wants rising times and uses them for nothing but their order and its smoothing filter.
_FRAME_MS = 33


class TasksLandmarker(Landmarker):
    """478 points of each face.

    Args:
        model: MediaPipe's ``face_landmarker.task``.
        static: every frame stands for itself; else faces are tracked from frame to frame.
        max_faces: how many faces are looked for at most.

    Raises:
        ImportError: mediapipe is not installed.
        InputError: the model is missing, or is not a face landmark model.
    """

    def __init__(self, model: Path, *, static: bool, max_faces: int) -> None:
        if not model.is_file():
            raise InputError(
                f"there is no landmark model {model}; give the path of a face_landmarker.task file"
            )
        self._model = model
        self._static = static
        self._max_faces = max_faces
        self._frame = DetectionFrame()
        self._landmarker: Any = None
        self._open()

    def detect(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:  # noqa: D102
        rgb, extent = self._frame.convert(check_frame(frame))
        scale = np.array((extent[0], extent[1], extent[0]), np.float32)
        faces = self._process(self._image(data=rgb)).face_landmarks
        return [np.array([(p.x, p.y, p.z) for p in face], np.float32) * scale for face in faces]

    def describe(self) -> str:  # noqa: D102
        return f"mediapipe {self._version}, tasks with {self._model.name}, 478 points"

    def reset(self) -> None:  # noqa: D102
        if self._static or not self._count:
            return
        self.close()
        self._open()

    def close(self) -> None:  # noqa: D102
        landmarker, self._landmarker = self._landmarker, None
        if landmarker is not None:
            landmarker.close()

    def _open(self) -> None:
        with native_stderr_silenced():
            from mediapipe import Image, ImageFormat
            from mediapipe import __version__ as version
            from mediapipe.tasks.python import BaseOptions, vision

            mode, base = vision.RunningMode, cast("Any", BaseOptions)
            options = vision.FaceLandmarkerOptions(
                base_options=base(model_asset_path=str(self._model)),
                running_mode=mode.IMAGE if self._static else mode.VIDEO,
                num_faces=self._max_faces,
            )
            try:
                self._landmarker = vision.FaceLandmarker.create_from_options(options)
            except (RuntimeError, ValueError) as error:
                raise InputError(
                    f"{self._model} is not a face landmark model that MediaPipe can open: {error}"
                ) from error
        self._version = version
        self._image: Any = partial(Image, image_format=ImageFormat.SRGB)
        self._count = 0

    def _process(self, image: Any) -> Any:
        if self._landmarker is None:
            raise ValueError("this landmarker is closed")
        self._count += 1
        if self._count > _SILENT_FRAMES:
            return self._detect(image)
        with native_stderr_silenced():
            return self._detect(image)

    def _detect(self, image: Any) -> Any:
        if self._static:
            return self._landmarker.detect(image)
        return self._landmarker.detect_for_video(image, self._count * _FRAME_MS)
