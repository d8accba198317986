"""Films of rendered faces that move and cross, with the truth about every frame.

Faces are cut out of a synthetic data set's test pictures along their landmarks, and laid over a background; the later one
covers the earlier one. Each moves on a path of its own, and turns and grows a little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIZE = (640, 480)
FPS = 30.0
# A face is in view while so much of it is inside the frame and uncovered.
VISIBLE = 0.6
_MAX_TURN = 15.0  # degrees, so that the cut-outs are whole faces


@dataclass(frozen=True)
class Cutout:
    """A face without its surroundings: BGR picture, opacity 0..1, landmarks (468, 2)."""

    image: np.ndarray
    opacity: np.ndarray
    landmarks: np.ndarray


@dataclass(frozen=True)
class Truth:
    """One face of a frame: landmarks (468, 2) in the frame, and the share of them that is to be seen."""

    landmarks: np.ndarray
    visible: float


def cutouts(data: Path, count: int, seed: int) -> list[Cutout]:
    """Frontal faces of different identities from the test split of a synthetic data set."""
    from edgeau_training.synth.shards import finished_shards, read_rows

    shards = finished_shards(data, "test")
    columns = ["image", "landmarks", "pose", "identity", "detected"]
    rows = [row for some in read_rows(shards[seed % len(shards)], columns) for row in some.to_pylist()]
    order = np.random.default_rng(seed).permutation(len(rows))
    found: dict[int, Cutout] = {}
    for row in (rows[index] for index in order):
        if len(found) == count:
            break
        if row["detected"] and np.abs(row["pose"][:2]).max() < _MAX_TURN and row["identity"] not in found:
            found[row["identity"]] = _cut(row["image"], np.reshape(row["landmarks"], (478, 3))[:468, :2])
    return list(found.values())


def _cut(jpeg: bytes, landmarks: np.ndarray) -> Cutout:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    centre = landmarks.mean(axis=0)
    hull = cv2.convexHull((centre + 1.3 * (landmarks - centre)).astype(np.float32))
    mask = cv2.fillConvexPoly(np.zeros(image.shape[:2], np.uint8), hull.astype(np.int32), 255)
    return Cutout(image, cv2.blur(mask, (7, 7)).astype(np.float32) / 255, landmarks.astype(np.float32))


class FaceScene:
    """Faces on their paths.

    Args:
        faces: back to front.
        seed: of background and paths.
        crossing: whether they cross; else each keeps to a place of its own.
    """

    def __init__(self, faces: list[Cutout], seed: int, *, crossing: bool = True) -> None:
        random = np.random.default_rng(seed)
        self._faces, count = faces, len(faces)
        small = random.integers(60, 200, (6, 8, 3), np.uint8)
        self._background = cv2.resize(small, SIZE, interpolation=cv2.INTER_CUBIC)
        self._scale = random.uniform(0.55, 0.7, count) if count > 2 else random.uniform(0.7, 0.9, count)
        place = (np.arange(count) + 0.5) / count * SIZE[0]
        self._middle = np.full(count, SIZE[0] / 2) if crossing else place
        self._reach = random.uniform(170, 230, count) if crossing else np.full(count, 20 / count)
        self._height = SIZE[1] / 2 + (random.uniform(-45, 45, count) if crossing else 0 * place)
        self._period_s = random.uniform(3.5, 7.0, count)
        self._phase = random.uniform(0, 2 * np.pi, count) + np.arange(count) * 2 * np.pi / count

    def frames(self, count: int) -> Iterator[tuple[np.ndarray, list[Truth]]]:
        """So many frames at FPS: BGR picture and truth, faces back to front."""
        for index in range(count):
            yield self._frame(index / FPS)

    def _frame(self, time_s: float) -> tuple[np.ndarray, list[Truth]]:
        image = self._background.copy()
        points, covers = [], []
        for number, face in enumerate(self._faces):
            place = self._place(number, face, time_s)
            image, opacity = _lay(image, face, place)
            points.append(face.landmarks @ place[:, :2].T + place[:, 2])
            covers.append(opacity > 0.5)
        return image, [
            Truth(landmarks, _visible(landmarks, covers[number + 1 :]))
            for number, landmarks in enumerate(points)
        ]

    def _place(self, number: int, face: Cutout, time_s: float) -> np.ndarray:
        swing = 2 * np.pi * time_s / self._period_s[number] + self._phase[number]
        scale = self._scale[number] * (1 + 0.06 * np.sin(0.7 * swing))
        matrix = cv2.getRotationMatrix2D((0, 0), 6 * np.sin(1.3 * swing), scale)
        target = (
            self._middle[number] + self._reach[number] * np.sin(swing),
            self._height[number] + 15 * np.sin(1.7 * swing),
        )
        matrix[:, 2] = target - matrix[:, :2] @ face.landmarks.mean(axis=0)
        return matrix


def _lay(image: np.ndarray, face: Cutout, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    picture = cv2.warpAffine(face.image, place, SIZE, flags=cv2.INTER_AREA)
    opacity = cv2.warpAffine(face.opacity, place, SIZE)
    share = opacity[:, :, None]
    return np.rint(picture * share + image * (1 - share)).astype(np.uint8), opacity


def _visible(landmarks: np.ndarray, covers: list[np.ndarray]) -> float:
    x, y = np.rint(landmarks).astype(int).T
    seen = (x >= 0) & (y >= 0) & (x < SIZE[0]) & (y < SIZE[1])
    for cover in covers:
        seen[seen] = ~cover[y[seen], x[seen]]
    return float(seen.mean())
