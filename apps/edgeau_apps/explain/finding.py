"""The crops that are explained: every face of a picture, and of a film the frame in which each AU is strongest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau import Pipeline
from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment, WholePicture
from edgeau.results import Face
from edgeau.sources import open_source
from edgeau_apps.analyze.inputs import Input

__all__ = ["FoundCrop", "crops_of"]


@dataclass(frozen=True)
class FoundCrop:
    """One face to explain.

    Attributes:
        title: what it is, for people.
        stem: beginning of the names of its files.
        crop: uint8 ``(H, W, 3)`` BGR, aligned.
        points: landmarks in pixels of the crop, ``(468 or 478, 2)``.
        labels: AUs to explain on it; None for all.
    """

    title: str
    stem: str
    crop: NDArray[np.uint8]
    points: NDArray[np.float64]
    labels: tuple[str, ...] | None


def crops_of(item: Input, pipeline: Pipeline, alignment: Alignment) -> Iterator[FoundCrop]:
    """The faces of an input.

    Args:
        item: picture or film.
        pipeline: finds the faces, and tells in a film when which AU is strongest.
        alignment: of the network to explain.

    Raises:
        InputError: it cannot be read, or holds no face.
    """
    found = list(
        _of_film(item, pipeline, alignment)
        if item.kind == "video"
        else _of_picture(item, pipeline, alignment)
    )
    if not found:
        raise InputError(f"{item.name}: no face was found in it, so there is nothing to explain")
    yield from found


def _of_picture(item: Input, pipeline: Pipeline, alignment: Alignment) -> Iterator[FoundCrop]:
    with open_source(item.path) as source:
        for frame in source:
            faces = pipeline.process(frame.image).faces
            for number, face in enumerate(faces, 1):
                several = f", face {number}" if len(faces) > 1 else ""
                stem = f"{item.stem}-{number}" if len(faces) > 1 else item.stem
                yield _cut(f"{item.name}{several}", stem, frame.image, face, alignment, None)


def _of_film(item: Input, pipeline: Pipeline, alignment: Alignment) -> Iterator[FoundCrop]:
    best: dict[str, tuple[float, float, NDArray[np.uint8], Face]] = {}
    pipeline.reset()  # of a film before this one
    with open_source(item.path) as source:
        for frame in source:
            faces = pipeline.track(frame.image, time_s=frame.time_s).faces
            for label, unit in faces[0].aus.items() if faces else ():
                if unit.probability is not None and unit.probability > best.get(label, (-1.0,))[0]:
                    best[label] = (unit.probability, frame.time_s, frame.image, faces[0])
    by_time: dict[float, list[str]] = {}
    for label, (_, time_s, _, _) in best.items():
        by_time.setdefault(time_s, []).append(label)
    for time_s, labels in sorted(by_time.items()):
        _, _, image, face = best[labels[0]]
        title = f"{item.name}, {time_s:.2f} s"
        yield _cut(title, f"{item.stem}-{time_s:.2f}s", image, face, alignment, labels)


def _cut(
    title: str,
    stem: str,
    image: NDArray[np.uint8],
    face: Face,
    alignment: Alignment,
    labels: Sequence[str] | None,
) -> FoundCrop:
    if isinstance(alignment, WholePicture):
        points = face.landmarks[:, :2] * (np.divide(alignment.shape, image.shape[:2])[::-1])
    else:
        matrix = alignment.matrix(face.landmarks)
        points = face.landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    crop = alignment.crop(image, face.landmarks)
    return FoundCrop(title, stem, crop, points, None if labels is None else tuple(labels))
