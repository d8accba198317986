"""Finding MediaPipe's face networks: in a bundle, a folder, a ``.task``, a wheel of mediapipe, or an installed one.

There are two generations. mediapipe up to 0.10.21 carries a detector and a mesh of 192 x 192 pixels, which places lips, eyes
and irises in a second look (or, without it, 468 points); Google's ``face_landmarker.task`` holds a detector and a mesh of
256 x 256 pixels that places all 478 points at once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Literal

from edgeau.errors import DependencyError, InputError
from edgeau.faces.landmarks.official_task import cached_task, is_official
from edgeau.faces.landmarks.wheel_networks import REQUIREMENT, cached_networks

__all__ = [
    "ADVICE",
    "DETECTOR",
    "ENVIRONMENT",
    "PLAIN_MESH",
    "REFINED_MESH",
    "TASK_DETECTOR",
    "TASK_MESH",
    "Generation",
    "LandmarkModels",
    "ModelFile",
    "cached_models",
    "installed_models",
    "installed_name",
    "models_place",
    "read_archive",
    "read_models",
]

_log = logging.getLogger(__name__)

ENVIRONMENT = "EDGEAU_LANDMARK_MODELS"
"""Environment variable with the place of the models; see :func:`read_models`."""

DETECTOR = "modules/face_detection/face_detection_short_range.tflite"
REFINED_MESH = "modules/face_landmark/face_landmark_with_attention.tflite"
PLAIN_MESH = "modules/face_landmark/face_landmark.tflite"
"""The networks as they lie in the mediapipe package."""

TASK_DETECTOR = "face_detector.tflite"
TASK_MESH = "face_landmarks_detector.tflite"
"""The networks as they lie in ``face_landmarker.task``."""

ADVICE = "edgeau-landmarks --fetch gets MediaPipe's (Apache-2.0, 3.8 MB)"
"""What to do without landmark networks; every message that misses them ends so."""

Generation = Literal["refined", "plain", "task"]
"""``"refined"``: 478 points in two looks; ``"plain"``: 468 points; ``"task"``: 478 points of ``face_landmarker.task``."""


@dataclass(frozen=True)
class ModelFile:
    """Content of a ``.tflite`` file, and its name and place for messages."""

    content: bytes
    name: str

    @property
    def file(self) -> str:
        """Its file name alone."""
        return self.name.split(" of ", 1)[0]


@dataclass(frozen=True)
class LandmarkModels:
    """A pair of networks.

    Attributes:
        detector: finds faces.
        mesh: places the points of one.
        generation: which pair it is.
        place: where it was read from.
        source: what it was read from, without the place: for manifests.
    """

    detector: ModelFile
    mesh: ModelFile
    generation: Generation
    place: Path
    source: str

    @property
    def points(self) -> int:
        """Number of points per face."""
        return 468 if self.generation == "plain" else 478


# In the order in which they are looked for: the plain mesh serves only where the refined one is missing.
_PAIRS: tuple[tuple[Generation, str, str], ...] = (
    ("task", TASK_DETECTOR, TASK_MESH),
    ("refined", DETECTOR, REFINED_MESH),
    ("plain", DETECTOR, PLAIN_MESH),
)
_KNOWN = {name for _, *names in _PAIRS for name in names}
_MOST_BYTES = 64 << 20  # of one network, unpacked: the largest has 2.6 MB


def models_place(given: Path | None = None) -> Path | None:
    """Find the file or package that the models are in.

    What is given, else :data:`ENVIRONMENT`, else an installed mediapipe, which is not imported, else the user's cache.

    Returns:
        None when nothing is given or set and none of the others has them.
    """
    if given is not None:
        return given
    if os.environ.get(ENVIRONMENT):
        return Path(os.environ[ENVIRONMENT])
    return installed_models() or cached_models()


def installed_models() -> Path | None:
    """The folder of an installed mediapipe that carries models; it is not imported."""
    spec = find_spec("mediapipe")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (Path(folder) / DETECTOR).is_file():
            return Path(folder)
    return None


def installed_name() -> str:
    """The installed mediapipe and its version, for messages; without it where the package does not say, as some distributions' do not."""
    try:
        return f"mediapipe {metadata.version('mediapipe')}"
    except metadata.PackageNotFoundError:
        return "mediapipe of unknown version"


def cached_models() -> Path | None:
    """Google's ``face_landmarker.task`` in this user's cache, else the folder of the networks out of mediapipe's wheel."""
    try:
        places = (cached_task(), cached_networks())
    except RuntimeError:  # no home directory, so no cache
        return None
    return next((place for place in places if place.exists()), None)


def read_models(given: Path | None = None) -> LandmarkModels:
    """The networks of a place; the plain mesh only where the refined one is missing, with a warning.

    Args:
        given: a folder with the files, a mediapipe package folder, a mediapipe wheel (``.whl``) or a
            ``face_landmarker.task``; None looks where :func:`models_place` says.

    Raises:
        DependencyError: nothing was given and there are none.
        InputError: there are none in the place that was given, it cannot be read, is damaged, or holds two sets.
    """
    place = models_place(given)
    if place is None:
        raise DependencyError(f"this machine has no face landmark networks; {ADVICE}")
    try:
        found = _files(place)
    except OSError as error:
        raise InputError(
            f"face landmark networks: {place} cannot be read: {error.strerror or error}; {ADVICE}"
        ) from error
    pairs = [pair for pair in _PAIRS if pair[-1] in found]
    if {kind for kind, _, _ in pairs} > {"task"}:
        meshes = " and ".join(PurePosixPath(mesh).name for _, _, mesh in pairs)
        raise InputError(f"{place} holds two sets of landmark networks ({meshes}); keep one of them")
    if not pairs:
        raise InputError(f"{place} {_what_it_is(place, found)}; {ADVICE}")
    kind, detector, mesh = pairs[0]
    if detector not in found:
        raise InputError(f"{place} has no {PurePosixPath(detector).name}; {ADVICE}")
    if kind == "plain":
        _log.warning("%s has no %s: eyes and lips are less exact", place, PurePosixPath(REFINED_MESH).name)
    return LandmarkModels(
        _file(found[detector], detector, place),
        _file(found[mesh], mesh, place),
        generation=kind,
        place=place,
        source=_source(place),
    )


def _file(content: bytes, name: str, place: Path) -> ModelFile:
    return ModelFile(content, f"{PurePosixPath(name).name} of {place}")


def _files(place: Path) -> Mapping[str, bytes]:
    """Those of the known files that a place has, by their name in mediapipe."""
    if place.is_dir():
        return _in_folder(place)
    if not place.exists():
        raise InputError(f"face landmark networks: {place} does not exist; {ADVICE}")
    if place.suffix not in (".task", ".whl") and not zipfile.is_zipfile(place):
        raise InputError(
            f"face landmark networks: {place} is neither a folder nor a face_landmarker.task nor a wheel; {ADVICE}"
        )
    entries = {entry: name for name in _KNOWN for entry in (PurePosixPath(name).name, f"mediapipe/{name}")}
    return {entries[entry]: content for entry, content in read_archive(place, entries).items()}


def _in_folder(folder: Path) -> dict[str, bytes]:
    found = {}
    for name in _KNOWN:
        for path in (folder / name, folder / PurePosixPath(name).name):
            if path.is_file():
                found[name] = path.read_bytes()
                break
    return found


def read_archive(file: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Content of those files of a wheel or ``.task`` that are in it, by name, in the order asked for.

    Raises:
        InputError: it is no such file, is damaged, or holds one that is too large.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            there = {info.filename: info for info in archive.infolist()}
            return {name: _member(archive, there[name]) for name in names if name in there}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise InputError(
            f"{file} is damaged, or is not a {'wheel' if file.suffix == '.whl' else 'face_landmarker.task'} "
            f"({error}); copy it again, or: {ADVICE}"
        ) from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > _MOST_BYTES:
        raise zipfile.BadZipFile(f"{info.filename} unpacks to {info.file_size:,} bytes")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"{info.filename} uses a compression method that is not supported")
    return archive.read(info)


def _what_it_is(place: Path, found: Mapping[str, bytes]) -> str:
    """Why a place has no pair."""
    if place.is_dir():
        return f"has no face landmark networks ({PurePosixPath(REFINED_MESH).name} or {TASK_MESH})"
    if place.suffix == ".whl":
        return "is a wheel without face landmark networks: those of mediapipe from 0.10.30 on carry none"
    with zipfile.ZipFile(place) as archive:
        others = [name for name in archive.namelist() if name.endswith(".tflite") and name not in found]
    held = f": it holds {', '.join(sorted(others))}" if others else ""
    return f"is not MediaPipe's face landmarker{held}"


def _source(place: Path) -> str:
    """Describe the source for a manifest: names and digests, no places of this machine."""
    if place.is_dir():
        installed = installed_models()
        if installed is not None and place == installed:
            return installed_name()
        return (
            f"the wheel of {REQUIREMENT}" if place == cached_models() else "a folder of MediaPipe's networks"
        )
    content = place.read_bytes()
    official = ", Google's face_landmarker float16/1" if is_official(content) else ""
    return f"{place.name}{official}, SHA-256 {hashlib.sha256(content).hexdigest()}"
