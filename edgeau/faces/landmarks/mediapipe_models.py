"""Finding MediaPipe's face networks: beside an installed mediapipe, in a folder, or inside its wheel."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from edgeau.errors import DependencyError, InputError

__all__ = [
    "DETECTOR",
    "ENVIRONMENT",
    "PLAIN_MESH",
    "REFINED_MESH",
    "LandmarkModels",
    "ModelFile",
    "models_place",
    "read_models",
]

_log = logging.getLogger(__name__)

ENVIRONMENT = "EDGEAU_LANDMARK_MODELS"
"""Environment variable with the place of the models; see :func:`read_models`."""

DETECTOR = "modules/face_detection/face_detection_short_range.tflite"
REFINED_MESH = "modules/face_landmark/face_landmark_with_attention.tflite"
PLAIN_MESH = "modules/face_landmark/face_landmark.tflite"
"""The networks as they lie in the mediapipe package."""

_ADVICE = (
    "the models are inside the wheels of mediapipe up to 0.10.21, of any Python and processor: "
    "pip download --no-deps --only-binary=:all: --python-version 3.11 --platform manylinux_2_17_aarch64 "
    f"mediapipe==0.10.18, then give the .whl file (or set {ENVIRONMENT} to it)"
)


@dataclass(frozen=True)
class ModelFile:
    """Content of a ``.tflite`` file, and its name and place for messages."""

    content: bytes
    name: str


@dataclass(frozen=True)
class LandmarkModels:
    """The detector, one of the meshes, which one, and the place that they come from."""

    detector: ModelFile
    mesh: ModelFile
    is_refined: bool
    place: Path


def models_place(given: Path | None = None) -> Path | None:
    """Where the models are: what is given, else :data:`ENVIRONMENT`, else an installed mediapipe, which is not imported.

    Returns:
        None when nothing is given or set and no installed mediapipe has them.
    """
    if given is not None:
        return given
    if os.environ.get(ENVIRONMENT):
        return Path(os.environ[ENVIRONMENT])
    spec = find_spec("mediapipe")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (Path(folder) / DETECTOR).is_file():
            return Path(folder)
    return None


def read_models(given: Path | None = None) -> LandmarkModels:
    """The networks: the detector and the refined mesh, or the plain one where only that is there, which is said.

    Args:
        given: a folder with the files, a mediapipe package folder, or a mediapipe wheel (``.whl``); None looks where
            :func:`models_place` says.

    Raises:
        DependencyError: nothing was given and there are none.
        InputError: there are none in the place that was given.
    """
    place = models_place(given)
    if place is None:
        raise DependencyError(f"no face landmark models for LiteRT were found; {_ADVICE}")
    read = _reader(place)
    detector = _required(read(place, DETECTOR), DETECTOR, place)
    refined = read(place, REFINED_MESH)
    if refined is not None:
        return LandmarkModels(detector, _file(refined, REFINED_MESH, place), is_refined=True, place=place)
    plain = _required(read(place, PLAIN_MESH), PLAIN_MESH, place)
    _log.warning("%s has no %s: eyes and lips are less exact", place, PurePosixPath(REFINED_MESH).name)
    return LandmarkModels(detector, plain, is_refined=False, place=place)


def _reader(place: Path) -> Callable[[Path, str], bytes | None]:
    if place.is_dir():
        return _from_folder
    if zipfile.is_zipfile(place):
        return _from_wheel
    what = "is neither a folder nor a wheel" if place.exists() else "does not exist"
    raise InputError(f"face landmark models: {place} {what}; {_ADVICE}")


def _required(content: bytes | None, name: str, place: Path) -> ModelFile:
    if content is None:
        raise InputError(f"{place} has no {PurePosixPath(name).name}; {_ADVICE}")
    return _file(content, name, place)


def _file(content: bytes, name: str, place: Path) -> ModelFile:
    return ModelFile(content, f"{PurePosixPath(name).name} of {place}")


def _from_folder(folder: Path, name: str) -> bytes | None:
    for path in (folder / name, folder / PurePosixPath(name).name):
        if path.is_file():
            return path.read_bytes()
    return None


def _from_wheel(wheel: Path, name: str) -> bytes | None:
    with zipfile.ZipFile(wheel) as archive:
        for entry in (f"mediapipe/{name}", PurePosixPath(name).name):
            if entry in archive.namelist():
                return archive.read(entry)
    return None
