"""Face landmarks from whichever MediaPipe is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from edgeau.errors import DependencyError, UsageError
from edgeau.landmarks.landmarker import Landmarker

__all__ = ["Landmarker", "open_landmarker"]


def open_landmarker(*, static: bool = False, max_faces: int = 1, model: Path | None = None) -> Landmarker:
    """The landmarker that this machine can run; to be used in the thread that opens it.

    Args:
        static: every frame stands for itself (pictures); else faces are tracked from frame to frame (videos).
        max_faces: how many faces are looked for at most, 1 or more.
        model: a ``face_landmarker.task``; without one the models inside mediapipe up to 0.10.21 are used.

    Raises:
        DependencyError: mediapipe is not installed, or this one has no models and none was given.
        InputError: the model is missing, or is not a face landmark model.
        UsageError: ``max_faces`` is below 1.
    """
    if max_faces < 1:
        raise UsageError(f"max_faces must be 1 or more, got {max_faces}")
    if find_spec("mediapipe") is None:
        raise DependencyError(
            "face landmarks need mediapipe, which is not installed: pip install 'edgeau[mediapipe]'"
        )
    if model is not None:
        return _from_tasks(model, static=static, max_faces=max_faces)
    return _from_solutions(static=static, max_faces=max_faces)


def _from_solutions(*, static: bool, max_faces: int) -> Landmarker:
    from edgeau.landmarks.solutions import SolutionsLandmarker

    try:
        return SolutionsLandmarker(static=static, max_faces=max_faces)
    except ImportError as error:
        raise DependencyError(
            f"this mediapipe carries no face landmark models ({error}); "
            "pip install 'mediapipe<=0.10.21', or give the path of a face_landmarker.task file"
        ) from error


def _from_tasks(model: Path, *, static: bool, max_faces: int) -> Landmarker:
    from edgeau.landmarks.tasks import TasksLandmarker

    try:
        return TasksLandmarker(model, static=static, max_faces=max_faces)
    except ImportError as error:
        raise DependencyError(
            f"this mediapipe cannot be used ({error}); pip install --upgrade 'edgeau[mediapipe]'"
        ) from error
