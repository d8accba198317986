"""Pictures of one size with one, two or four faces, made of a picture with one."""

from __future__ import annotations

import cv2
import numpy as np

SHAPES = {1: (1, 1), 2: (1, 2), 4: (2, 2)}  # faces -> rows and columns


def frame_of(picture: np.ndarray, faces: int, width: int, height: int) -> np.ndarray:
    """``faces`` copies of the picture's middle, side by side; uint8 (height, width, 3)."""
    rows, columns = SHAPES[faces]
    tile_height, tile_width = height // rows, width // columns
    tile = cv2.resize(_cut(picture, tile_width / tile_height), (tile_width, tile_height))
    return np.ascontiguousarray(np.tile(tile, (rows, columns, 1)))


def _cut(picture: np.ndarray, aspect: float) -> np.ndarray:
    """The largest middle part with so much width for its height."""
    height, width = picture.shape[:2]
    wanted_width = min(width, round(height * aspect))
    wanted_height = min(height, round(width / aspect))
    left, top = (width - wanted_width) // 2, (height - wanted_height) // 2
    return picture[top : top + wanted_height, left : left + wanted_width]
