"""MediaPipe's face networks into a bundle, with their licence, so that a device needs no mediapipe."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from edgeau.bundle.manifest import LandmarkNetworks
from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.mediapipe_models import ADVICE, LandmarkModels, models_place, read_models
from edgeau.runtimes.table import runtimes
from edgeau_export.packaging.standard_operators import modification_of, with_standard_operators
from edgeau_export.progress import ProgressReporter

__all__ = ["LICENCE_LINE", "NO_LANDMARKS", "chosen_networks", "write_networks"]

NO_LANDMARKS = "none"
"""What leaves them out."""

LICENCE_LINE = "face landmark networks: Apache-2.0, Copyright The MediaPipe Authors (Google)"

_FOLDER = "landmarks"
_NOTICE = "NOTICE.txt"


def chosen_networks(given: Path | str | None, progress: ProgressReporter) -> LandmarkModels | None:
    """The networks that will travel, read and tried before any other work; every LiteRT opens each of their files.

    Args:
        given: a ``face_landmarker.task``, a wheel of mediapipe or a folder; :data:`NO_LANDMARKS` leaves them out; None takes
            those of this machine.
        progress: says when there are none.

    Raises:
        InputError: what was given holds no face landmark networks, is damaged, or holds two sets.
    """
    if given == NO_LANDMARKS:
        return None
    place = models_place(None if given is None else Path(given))
    if place is None:
        progress.notice(
            f"this machine has no face landmark networks, so the bundle has none; {ADVICE}, or give --landmarks FILE"
        )
        return None
    models = with_standard_operators(read_models(place))
    if any(find_spec(module) is not None for module in runtimes()["litert"].modules):
        open_landmarker(kind="litert", model=place).close()
    return models


def write_networks(directory: Path, models: LandmarkModels) -> LandmarkNetworks:
    """Write them below a bundle's folder.

    Args:
        directory: directory of the bundle.
        models: result of :func:`chosen_networks`.
    """
    folder = directory / _FOLDER
    folder.mkdir()
    lines, modified = [], []
    for file in (models.detector, models.mesh):
        (folder / file.file).write_bytes(file.content)
        lines.append(f"  {file.file}  SHA-256 {hashlib.sha256(file.content).hexdigest()}")
        if modification := modification_of(file):
            lines.append(f"    {modification}")
            modified.append(modification)
    licence = (files("edgeau") / "assets" / "apache-2.0.txt").read_text("utf-8")
    notice = (
        f"Face detection and face landmark networks of MediaPipe{'' if modified else ', unchanged'}.\n"
        "Copyright The MediaPipe Authors (Google). Licensed under the Apache License, Version 2.0, which follows.\n"
        f"Taken from: {models.source}\n" + "\n".join(lines) + "\n\n" + licence
    )
    (folder / _NOTICE).write_text(notice, encoding="utf-8")
    return LandmarkNetworks(
        detector=f"{_FOLDER}/{models.detector.file}",
        mesh=f"{_FOLDER}/{models.mesh.file}",
        points=models.points,
        source="; ".join((models.source, *modified)),
        licence="Apache-2.0",
        notice=f"{_FOLDER}/{_NOTICE}",
    )
