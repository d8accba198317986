"""Faces of known place, size and turn in pictures of 1920 x 1080, for measuring what is found."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks import open_landmarker
from edgeau.sources import open_source

__all__ = ["HEIGHT", "WIDTH", "CutHead", "heads", "heads_of_folder", "is_right", "pasted", "turned"]

WIDTH, HEIGHT = 1920, 1080
_MARGIN = 0.4  # of the face's size, around it


@dataclass(frozen=True)
class CutHead:
    """A face cut out of a picture: uint8 BGR, and its landmarks, float ``(468, 2)``, pixels of it."""

    picture: NDArray[np.uint8]
    points: NDArray[np.floating]


def heads() -> list[CutHead]:
    """Frames of the packaged clip (a rendered head) and NASA's portrait of an astronaut (public domain)."""
    from skimage import data

    with open_source("clip") as source:
        pictures = [frame.image for frame in itertools.islice(source, 0, 160, 20)]
    pictures.append(np.ascontiguousarray(data.astronaut()[:, :, ::-1]))
    with open_landmarker(kind="litert", static=True) as landmarker:
        return [_cut_out(picture, landmarker.detect(picture)[0][:468, :2]) for picture in pictures]


def heads_of_folder(folder: Path) -> list[CutHead]:
    """The faces of a folder's pictures, one each; pictures without a face that is certain are left out."""
    found = []
    with open_landmarker(kind="litert", static=True) as landmarker, open_source(folder) as source:
        for frame in source:
            faces = [face for face in landmarker.find(frame.image) if face.is_reliable]
            if faces:
                found.append(_cut_out(frame.image, faces[0].points[:468, :2]))
    return found


def _cut_out(picture: NDArray[np.uint8], points: NDArray[np.floating]) -> CutHead:
    around = _MARGIN * np.ptp(points, axis=0)
    low = np.maximum(points.min(axis=0) - around, 0).astype(int)
    high = (points.max(axis=0) + around).astype(int)
    return CutHead(picture[low[1] : high[1], low[0] : high[0]], points - low)


def turned(head: CutHead, angle: float) -> CutHead:
    """A head turned in the plane, degrees anticlockwise."""
    if angle == 0:
        return head
    height, width = head.picture.shape[:2]
    side = int(np.hypot(height, width)) + 1
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    matrix[:, 2] += ((side - width) / 2, (side - height) / 2)
    picture = cv2.warpAffine(head.picture, matrix, (side, side), borderValue=(90, 90, 90))
    return CutHead(np.asarray(picture, np.uint8), head.points @ matrix[:, :2].T + matrix[:, 2])


def pasted(
    choice: list[CutHead], size: float, count: int, seed: int
) -> tuple[NDArray[np.uint8], list[NDArray[np.floating]]]:
    """A picture with faces of a width in pixels, and their landmarks.

    As many as fit, up to ``count``, each at a random place in a cell of its own; the ground is plain in even seeds and
    noise in odd ones.
    """
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    if seed % 2:
        picture = rng.integers(40, 140, picture.shape, np.uint8)
    scaled = [_scaled(choice[int(number)], size) for number in rng.integers(0, len(choice), count)]
    cell = max(max(head.picture.shape[:2]) for head in scaled) + 2
    columns, rows = max(1, WIDTH // cell), max(1, HEIGHT // cell)
    cells = rng.permutation(columns * rows)[:count]
    across, down = WIDTH / columns, HEIGHT / rows
    faces = []
    for head, place in zip(scaled, cells, strict=False):
        height, width = head.picture.shape[:2]
        left = int((place % columns) * across + rng.uniform(0, max(across - width, 0)))
        top = int((place // columns) * down + rng.uniform(0, max(down - height, 0)))
        view = picture[top : top + height, left : left + width]
        view[:] = head.picture[: view.shape[0], : view.shape[1]]
        faces.append(head.points + np.array((left, top)))
    return picture, faces


def _scaled(head: CutHead, size: float) -> CutHead:
    factor = size / float(np.ptp(head.points[:, 0]))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(head.picture, None, fx=factor, fy=factor, interpolation=how)
    return CutHead(np.asarray(picture, np.uint8), head.points * factor)


def is_right(found: NDArray[np.floating], face: NDArray[np.floating], tolerance: float = 0.15) -> bool:
    """Tell whether landmarks lie on a face: on average within a share of the distance between its outer eye corners."""
    eyes = float(np.linalg.norm(face[33] - face[263]))
    return float(np.abs(found[:468, :2] - face).mean()) < tolerance * eyes
