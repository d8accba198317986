"""Face landmarks: from an installed mediapipe, or from its networks in LiteRT without it."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path

from edgeau.errors import DependencyError, UsageError
from edgeau.faces.landmarks.landmarker import Landmarker

__all__ = ["LANDMARKERS", "Landmarker", "open_landmarker"]

_log = logging.getLogger(__name__)

LANDMARKERS = ("solutions", "tasks", "litert")
"""The ways to find landmarks: mediapipe up to 0.10.21, mediapipe from 0.10.30 on, LiteRT without mediapipe."""


def open_landmarker(
    *, static: bool = False, max_faces: int = 1, model: Path | None = None, kind: str | None = None
) -> Landmarker:
    """The landmarker that this machine can run; which one it is stands in :meth:`Landmarker.describe` and in the log.

    Args:
        static: every frame stands for itself (pictures); else faces are tracked from frame to frame (videos).
        max_faces: how many faces are looked for at most, 1 or more.
        model: a ``face_landmarker.task`` for ``tasks``; a folder with MediaPipe's two ``.tflite`` files, or a wheel of
            mediapipe, for ``litert``. Without one the models inside mediapipe up to 0.10.21 are used.
        kind: one of :data:`LANDMARKERS`; None decides by ``model``, and without one takes ``solutions``, or ``litert``
            where mediapipe is not installed but its models are there.

    Raises:
        DependencyError: a package is missing, or there are no models and none were given.
        InputError: the model is missing, or is not a face landmark model.
        UsageError: ``max_faces`` is below 1, or there is no such kind.
    """
    if max_faces < 1:
        raise UsageError(f"max_faces must be 1 or more, got {max_faces}")
    kind = _kind(model) if kind is None else kind
    if kind not in LANDMARKERS:
        raise UsageError(f"there is no landmarker {kind!r}; there are {', '.join(LANDMARKERS)}")
    landmarker = _open(kind, model, static=static, max_faces=max_faces)
    _log.info("face landmarks: %s", landmarker.describe())
    return landmarker


def _kind(model: Path | None) -> str:
    """The kind that fits the model, or without one the machine."""
    if model is not None:
        return "litert" if model.is_dir() or model.suffix == ".whl" else "tasks"
    if find_spec("mediapipe") is not None:
        return "solutions"
    from edgeau.faces.landmarks.mediapipe_models import models_place

    if models_place() is not None:
        return "litert"
    raise DependencyError(
        "face landmarks need mediapipe, which is not installed: pip install 'edgeau[mediapipe]'; "
        "without it they run in LiteRT, given MediaPipe's models: see docs/raspberry-pi.md"
    )


def _open(kind: str, model: Path | None, *, static: bool, max_faces: int) -> Landmarker:
    if kind == "litert":
        from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker

        return LiteRtLandmarker(static=static, max_faces=max_faces, models=model)
    if find_spec("mediapipe") is None:
        raise DependencyError(
            "face landmarks need mediapipe, which is not installed: pip install 'edgeau[mediapipe]'"
        )
    if kind == "solutions":
        return _from_solutions(static=static, max_faces=max_faces)
    if model is None:
        raise UsageError("the tasks of mediapipe need the path of a face_landmarker.task file")
    return _from_tasks(model, static=static, max_faces=max_faces)


def _from_solutions(*, static: bool, max_faces: int) -> Landmarker:
    from edgeau.faces.landmarks.solutions import SolutionsLandmarker

    try:
        return SolutionsLandmarker(static=static, max_faces=max_faces)
    except ImportError as error:
        raise DependencyError(
            f"this mediapipe carries no face landmark models ({error}); "
            "pip install 'mediapipe<=0.10.21', or give the path of a face_landmarker.task file"
        ) from error


def _from_tasks(model: Path, *, static: bool, max_faces: int) -> Landmarker:
    from edgeau.faces.landmarks.tasks import TasksLandmarker

    try:
        return TasksLandmarker(model, static=static, max_faces=max_faces)
    except ImportError as error:
        raise DependencyError(
            f"this mediapipe cannot be used ({error}); pip install --upgrade 'edgeau[mediapipe]'"
        ) from error
