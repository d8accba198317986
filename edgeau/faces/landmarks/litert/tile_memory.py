"""Tiles of a film that show what they showed when they were searched: most of a picture stands still."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

__all__ = ["FoundFaces", "TileMemory", "has_changed"]

FoundFaces = list[tuple[NDArray[np.float32], float]]
"""Faces as float32 ``(8, 2)`` in shares of a tile, with their scores."""

# Blocks along a side of a tile: the smallest face that is found in one covers several.
_BLOCKS = 16
# Mean difference of a block, in levels of 255, from which on something changed there. A sensor's noise, made smaller with the
# picture, stays below it; a face before any background does not. Ours.
_CHANGED = 5


class TileMemory:
    """The faces found in each tile, given again as long as it looks the same as when it was searched."""

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
        before = self._searched.get(place)
        if before is not None and _is_same(before[0], tile):
            return before[1]
        found = search(tile)
        self._searched[place] = (tile.copy(), found)
        return found


def _is_same(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> bool:
    if before.shape != now.shape:
        return False
    return not has_changed(cv2.absdiff(before, now))


def has_changed(differences: MatLike) -> bool:
    """Tell from the differences of two small pictures, uint8 ``(side, side, 3)``, whether anything changed but a sensor's noise."""
    blocks = cv2.resize(differences, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
    return int(blocks.max()) >= _CHANGED
