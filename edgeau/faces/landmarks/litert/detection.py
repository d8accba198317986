"""Faces in a whole frame, or in its tiles: MediaPipe's short-range detector. Tiles of a film that stand still are not searched again."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.network import LandmarkNetwork
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.mediapipe_models import ModelFile

__all__ = [
    "ANCHORS",
    "TILES_KEPT",
    "Candidate",
    "FaceDetector",
    "FoundFaces",
    "Overview",
    "TileMemory",
    "has_changed",
    "merge",
    "overview_of",
]

# Cells along a side, and boxes a cell: one map at stride 8 and three at stride 16 of 128 pixels, two boxes each. All have
# the same size, so a box is a centre and nothing more (``SsdAnchorsCalculator`` of MediaPipe with ``fixed_anchor_size``).
_MAPS = ((16, 2), (8, 6))


def _anchors() -> NDArray[np.float32]:
    return np.concatenate([_centres(cells, boxes) for cells, boxes in _MAPS])


def _centres(cells: int, boxes: int) -> NDArray[np.float32]:
    middle = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    x, y = np.meshgrid(middle, middle)
    return np.repeat(np.stack((x.ravel(), y.ravel()), axis=1), boxes, axis=0)


ANCHORS = _anchors()
"""Float32 ``(896, 2)``: x y of each box's centre in shares of the detector's input, in the order of its outputs."""


_SIZE = 128
_MIN_SCORE = 0.0  # a logit: more likely a face than none
# Boxes that share more than this of their joint area are one face.
_SAME_FACE = 0.3
# An output row: box centre and size, then x y of six points, all in pixels of the input and relative to the anchor. The
# first two points are the person's right and left eye.
_ROW, _BOX = 16, 4


# Tiles of a far search as shares of the frame's long side, and what neighbours share of their side. A face is found from
# about a seventh of a tile on; one that is cut by the edge of a tile lies whole in its neighbour or in a larger tile. Ours,
# chosen on the pictures of benchmarks/face_recall.py.
_TILES = (1 / 3, 1 / 6)
_SHARED = 1 / 3
# A region is 1.5 times as wide as the box of its face; so much of it is face whichever way it is turned.
_FACE = 0.55


FoundFaces = list[tuple[NDArray[np.float32], float]]
"""Faces as float32 ``(8, 2)`` in shares of a tile, with their scores."""

TILES_KEPT = 128
"""Tiles that :class:`TileMemory` keeps, 49 kB each: a frame has 97 at the most, if it is square."""

# Blocks along a side of a tile: the smallest face that is found in one covers several.
_BLOCKS = 16
# Mean difference of a block, in levels of 255, from which on something changed there. A sensor's noise, made smaller with the
# picture, stays below it; a face before any background does not. Ours.
_CHANGED = 5


@dataclass(frozen=True)
class Candidate:
    """A place where a face may be.

    Attributes:
        region: to look at.
        score: score of the detector, 0..1.
        from_tile: whether only a part of the frame was looked at; more of these are no faces.
    """

    region: Region
    score: float
    from_tile: bool = False


@dataclass(frozen=True)
class Overview:
    """A whole frame as the detector looks at it: ``region``, and ``picture``, uint8 ``(128, 128, 3)``."""

    region: Region
    picture: NDArray[np.uint8]


def overview_of(frame: NDArray[np.uint8]) -> Overview:
    """The overview of a frame, uint8 ``(height, width, 3)``."""
    height, width = frame.shape[:2]
    whole = Region(width / 2, height / 2, float(max(height, width)), 0.0)
    return Overview(whole, whole.crop(frame, _SIZE, cv2.BORDER_CONSTANT))


class FaceDetector:
    """Finds faces that are at least some 11 % of the frame's long side, or with tiles 2.5 % of it.

    Args:
        file: ``face_detection_short_range.tflite``.
        threads: that one inference may use.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: it is another model.
    """

    def __init__(self, file: ModelFile, threads: int) -> None:
        count = len(ANCHORS)
        inputs = {"input": (1, _SIZE, _SIZE, 3)}
        outputs = {"regressors": count * _ROW, "classificators": count}
        self._network = LandmarkNetwork(file, threads, inputs, outputs, levels=(127.5, 1.0))

    def detect(self, frame: NDArray[np.uint8], quarter_turns: int = 0) -> list[Candidate]:
        """Faces in the whole frame, the surest first.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            quarter_turns: to turn the frame by before it is looked at, anticlockwise: the detector knows faces that are
                turned by up to about 45 degrees.
        """
        return self.detect_in_overview(overview_of(frame), quarter_turns)

    def detect_in_overview(self, overview: Overview, quarter_turns: int = 0) -> list[Candidate]:
        """Faces in the whole frame, the surest first; arguments as for :meth:`detect`."""
        whole = overview.region
        corner = np.array((whole.x, whole.y)) - whole.side / 2
        return [
            Candidate(_region(face * whole.side + corner), score)
            for face, score in self._faces(overview.picture, quarter_turns)
        ]

    def detect_in_tiles(
        self,
        frame: NDArray[np.uint8],
        quarter_turns: int = 0,
        memory: TileMemory | None = None,
        known: Sequence[Region] = (),
    ) -> list[Candidate]:
        """Faces in overlapping parts of the frame, the surest first; one face may come several times.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            quarter_turns: as for :meth:`detect`.
            memory: of the film that the frame is of; None searches every tile.
            known: regions of faces that are known; tiles that show nothing but one of them are left out.
        """
        found = []
        memory = memory or TileMemory()

        def search(tile: NDArray[np.uint8]) -> FoundFaces:
            return self._faces(tile, quarter_turns)

        for share in _TILES:
            side = max(share * max(frame.shape[:2]), float(_SIZE))
            scale = _SIZE / side
            size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
            small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
            for left, top in _corners(size):
                middle, side = ((left + _SIZE / 2) / scale, (top + _SIZE / 2) / scale), _SIZE / scale
                if any(_is_inside(*middle, side, region) for region in known):
                    continue
                tile = small[top : top + _SIZE, left : left + _SIZE]
                missing = (_SIZE - tile.shape[0], _SIZE - tile.shape[1])
                if any(missing):
                    tile = np.pad(tile, ((0, missing[0]), (0, missing[1]), (0, 0)))
                place = (share, left, top, quarter_turns)
                for face, score in memory.faces(place, np.asarray(tile, np.uint8), search):
                    placed = (face * _SIZE + (left, top)) / scale
                    found.append(Candidate(_region(placed), score, from_tile=True))
        return sorted(found, key=lambda candidate: -candidate.score)

    def _faces(self, picture: NDArray[np.uint8], quarter_turns: int) -> FoundFaces:
        """Faces as float32 ``(8, 2)`` in shares of the picture, with their scores, the surest first."""
        turned = np.ascontiguousarray(np.rot90(picture, quarter_turns)) if quarter_turns else picture
        self._network.look(turned)
        faces = _decode(self._network.view(0).reshape(-1, _ROW), self._network.view(1))
        return [(_turned_back(face, quarter_turns), score) for face, score in faces]

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._network.close()


def _is_inside(x: float, y: float, side: float, region: Region) -> bool:
    """Tell whether a tile around a point shows a face of a region but for its rims, which its neighbours show too."""
    inner = side * (1 - _SHARED) / 2
    return max(abs(x - region.x), abs(y - region.y)) + inner <= region.side * _FACE / 2


def _corners(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Left upper corners of the tiles that cover a picture of this width and height, pixels."""
    step = _SIZE * (1 - _SHARED)
    across, down = (
        [round(place) for place in np.linspace(0, length - _SIZE, 1 + math.ceil((length - _SIZE) / step))]
        if length > _SIZE
        else [0]
        for length in size
    )
    for top in down:
        for left in across:
            yield left, top


def _turned_back(face: NDArray[np.float32], quarter_turns: int) -> NDArray[np.float32]:
    """A face found in a picture that was turned anticlockwise, in shares of the picture as it was.

    The two corners of its box stay an upper left and a lower right one.
    """
    for _ in range(quarter_turns % 4):
        face = np.stack((1 - face[:, 1], face[:, 0]), axis=1)
    low, high = face[:2].min(axis=0), face[:2].max(axis=0)
    return np.concatenate((low[None], high[None], face[2:]))


def _decode(
    rows: NDArray[np.float32], logits: NDArray[np.float32]
) -> list[tuple[NDArray[np.float32], float]]:
    """Faces as float32 ``(8, 2)`` in shares of the input: upper left and lower right corner, then six points."""
    (sure,) = (logits >= _MIN_SCORE).nonzero()
    if not len(sure):
        return []
    centres = ANCHORS[sure][:, None]
    points = rows[sure].reshape(-1, _ROW // 2, 2) / np.float32(_SIZE)
    middle, half = points[:, :1] + centres, points[:, 1:2] / 2
    faces = np.concatenate((middle - half, middle + half, points[:, _BOX // 2 :] + centres), axis=1)
    # In double precision: numpy's float32 tanh differs between processors in its last bit, and through the weights of merged boxes
    # the places of all landmarks would.
    scores = (0.5 + 0.5 * np.tanh(0.5 * logits[sure].astype(np.float64))).astype(np.float32)
    return merge(faces, scores)


def merge(faces: NDArray[np.float32], scores: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], float]]:
    """One face where several boxes lie on each other: their mean, weighted by their scores.

    This is the ``WEIGHTED`` algorithm of MediaPipe's ``NonMaxSuppressionCalculator``.

    Args:
        faces: float32 ``(n, 2 or more, 2)``, the first two points are the corners of the box.
        scores: float32 ``(n,)``, 0..1.

    Returns:
        The merged faces, ``(2 or more, 2)`` each, with the score of the surest box, the surest first.
    """
    order = np.argsort(-scores, kind="stable")
    faces, scores = faces[order], scores[order]
    # In plain floats: of the few boxes that are there numpy's calls cost ten times their arithmetic.
    boxes = faces[:, :2].reshape(-1, 4).tolist()
    left = list(range(len(boxes)))
    merged = []
    while left:
        # A box without area overlaps nothing, itself included.
        same = [left[0], *(one for one in left[1:] if _overlap(boxes[left[0]], boxes[one]) > _SAME_FACE)]
        left = [one for one in left[1:] if one not in same]
        weights = scores[same] / scores[same].sum()
        merged.append(((faces[same] * weights[:, None, None]).sum(axis=0), float(scores[same[0]])))
    return merged


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Shared over joint area of two boxes: left, top, right, bottom each."""
    across, down = (
        min(one[2], other[2]) - max(one[0], other[0]),
        min(one[3], other[3]) - max(one[1], other[1]),
    )
    shared = max(across, 0.0) * max(down, 0.0)
    joint = _area(one) + _area(other) - shared
    return shared / joint if joint > 0 else 0.0


def _area(box: Sequence[float]) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _region(face: NDArray[np.floating[Any]]) -> Region:
    return Region.around(face[:2].ravel(), face[2], face[3])


class TileMemory:
    """The faces found in each tile, given again as long as it looks the same as when it was searched.

    Of the places that were asked for last, :data:`TILES_KEPT` are kept: tiles of frames of other sizes lie elsewhere.
    """

    def __init__(self) -> None:
        self._searched: dict[Hashable, tuple[NDArray[np.uint8], FoundFaces]] = {}

    def faces(
        self, place: Hashable, tile: NDArray[np.uint8], search: Callable[[NDArray[np.uint8]], FoundFaces]
    ) -> FoundFaces:
        """The faces of a tile.

        Args:
            place: of the tile in the picture.
            tile: uint8 ``(side, side, 3)``; it is kept.
            search: finds the faces of a tile.
        """
        before = self._searched.pop(place, None)
        if before is None or not _is_same(before[0], tile):
            before = tile.copy(), search(tile)
        self._searched[place] = before  # as the newest
        if len(self._searched) > TILES_KEPT:
            del self._searched[next(iter(self._searched))]
        return before[1]


def _is_same(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> bool:
    if before.shape != now.shape:
        return False
    return not has_changed(cv2.absdiff(before, now))


def has_changed(differences: MatLike) -> bool:
    """Tell from the differences of two small pictures, uint8 ``(side, side, 3)``, whether anything changed but a sensor's noise."""
    blocks = cv2.resize(differences, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
    return int(blocks.max()) >= _CHANGED
