"""Decoding the JPEG files of crops, from shards and from packed sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edgeau.errors import CalibrationError
from edgeau_calibration.crops import central_crop, on_canvas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeau.alignment import Alignment

__all__ = ["decoded"]


def decoded(file: bytes | NDArray[np.uint8], alignment: Alignment, where: str) -> NDArray[np.uint8]:
    """The crop in a JPEG file, uint8 ``(size, size, 3)`` RGB.

    Raises:
        CalibrationError: it is damaged, or is of neither the crop's nor the canvas's side.
    """
    picture = cv2.imdecode(np.frombuffer(file, dtype=np.uint8), cv2.IMREAD_COLOR) if len(file) else None
    if picture is not None and picture.shape[0] == picture.shape[1]:
        picture = on_canvas(picture[None].astype(np.uint8, copy=False), alignment)[0]
    sides = (alignment.size, alignment.canvas)
    if picture is None or picture.shape[0] != picture.shape[1] or picture.shape[0] not in sides:
        got = "not a picture" if picture is None else f"{picture.shape[1]} x {picture.shape[0]} pixels"
        raise CalibrationError(
            f"{where}: a crop is {got}; expected aligned crops of {sides[0]} or {sides[1]} pixels"
        )
    return central_crop(picture.astype(np.uint8, copy=False), alignment.size)[..., ::-1]
