"""Face landmarks: MediaPipe's networks in LiteRT, or an installed mediapipe."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edgeau.errors import DependencyError, UsageError
from edgeau.faces.landmarks.landmarker import Landmarker
from edgeau.faces.landmarks.mediapipe_models import (
    ADVICE,
    ENVIRONMENT,
    installed_models,
    installed_name,
    models_place,
)

if TYPE_CHECKING:  # edgeau-doctor looks for landmark networks where numpy cannot be imported
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LANDMARKERS", "Landmarker", "largest_face", "open_landmarker"]

_log = logging.getLogger(__name__)

LANDMARKERS = ("litert", "solutions")
"""The ways to find landmarks: MediaPipe's networks in LiteRT, and mediapipe up to 0.10.21 itself."""


def open_landmarker(
    *,
    static: bool = False,
    max_faces: int = 1,
    model: Path | None = None,
    bundled: Path | None = None,
    kind: str | None = None,
) -> Landmarker:
    """The landmarker that this machine can run; which one it is stands in :meth:`Landmarker.describe` and in the log.

    Args:
        static: every frame stands for itself (pictures); else faces are tracked from frame to frame (videos).
        max_faces: how many faces are looked for at most, 1 or more.
        model: the networks for LiteRT: a folder, a ``face_landmarker.task`` or a wheel of mediapipe, see
            :func:`edgeau.faces.landmarks.mediapipe_models.read_models`.
        bundled: the folder of the networks that the bundle brings. They serve before those of this machine, but after
            ``model`` and what :data:`edgeau.faces.landmarks.mediapipe_models.ENVIRONMENT` names.
        kind: one of :data:`LANDMARKERS`; None takes ``litert`` where it and networks are there, else ``solutions``.

    Raises:
        DependencyError: a package is missing, or there are no networks and none were given.
        InputError: the networks are missing or damaged, or are others.
        EngineError: LiteRT refuses the networks, or crashed when it first met them, in a child process.
        UsageError: ``max_faces`` is below 1, or there is no such kind.
    """
    if max_faces < 1:
        raise UsageError(f"max_faces must be 1 or more, got {max_faces}")
    if kind not in (None, *LANDMARKERS):
        raise UsageError(f"there is no landmarker {kind!r}; there are {', '.join(LANDMARKERS)}")
    if model is None and not os.environ.get(ENVIRONMENT):
        model = bundled
    kind = _kind(model) if kind is None else kind
    landmarker = _open(kind, model, static=static, max_faces=max_faces)
    _log.info("face landmarks: %s", landmarker.describe())
    return landmarker


def _kind(model: Path | None) -> str:
    """The kind that this machine can run."""
    # Imported here: edgeau-doctor looks for networks where numpy, which the runtimes need, may be missing.
    from edgeau.runtimes.table import runtimes

    row = runtimes()["litert"]
    there = models_place(model)
    litert = any(find_spec(module) is not None for module in row.modules)
    if there is not None and litert:
        return "litert"
    if installed_models() is not None:
        return "solutions"
    if there is not None:
        raise DependencyError(
            f"the face landmark networks of {there} need LiteRT, which is not installed: {row.install_line}"
        )
    lack = "" if litert else f"; LiteRT, which runs them, is missing too: {row.install_line}"
    raise DependencyError(
        f"face landmark networks are missing: this bundle has none, and this machine has none{_newer()}; "
        f"{ADVICE}{lack}"
    )


def _newer() -> str:
    """A word on a mediapipe that is there and is of no use."""
    try:
        version = metadata.version("mediapipe")
    except metadata.PackageNotFoundError:
        return ""
    return f" (mediapipe {version} carries none, and is not imported: from 0.10.30 on it reports usage to its maker)"


def _open(kind: str, model: Path | None, *, static: bool, max_faces: int) -> Landmarker:
    if kind == "litert":
        from edgeau.faces.landmarks.litert.first_meeting import check_first_meeting
        from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker

        check_first_meeting(model)
        return LiteRtLandmarker(static=static, max_faces=max_faces, models=model)
    from edgeau.runtimes.table import runtimes

    if find_spec("mediapipe") is None:
        raise DependencyError(
            "mediapipe is not installed; its networks run in LiteRT without it: "
            + runtimes()["litert"].install_line
        )
    # Looked for, never imported: a later mediapipe opens connections as soon as it is used.
    if installed_models() is None:
        raise DependencyError(f"this mediapipe is not used{_newer()}; {ADVICE}, and LiteRT runs them")
    from edgeau.faces.landmarks.solutions import SolutionsLandmarker

    try:
        return SolutionsLandmarker(static=static, max_faces=max_faces)
    except ImportError as error:
        raise DependencyError(
            f"{installed_name()} has its networks and cannot be imported ({error}); "
            f"repair it, or run them without it: {runtimes()['litert'].install_line}"
        ) from error


def largest_face(faces: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The face whose landmarks have the largest box: the first one found may be somebody in the background.

    Args:
        faces: one or more, as from :meth:`Landmarker.detect`.
    """
    return max(faces, key=_box_area)


def _box_area(landmarks: NDArray[np.float32]) -> float:
    across, down = (landmarks[:, :2].max(axis=0) - landmarks[:, :2].min(axis=0)).tolist()
    return float(across * down)
