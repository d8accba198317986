"""The check that something is a frame, in this one place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError

__all__ = ["LONGEST_SIDE", "check_frame"]

# OpenCV's warps number pixels in 16 bits with a sign, and fail at the last one.
LONGEST_SIDE = 32766
_WANTED = "a frame is a BGR picture, uint8 (height, width, 3)"


def check_frame(frame: Any) -> NDArray[np.uint8]:
    """The frame itself, when it is one.

    Args:
        frame: anything.

    Returns:
        The same array: uint8 ``(height, width, 3)``, any strides, not copied.

    Raises:
        InputError: it is not a BGR picture; the message says what was given and how to convert it.
    """
    if not isinstance(frame, np.ndarray):
        raise InputError(f"{_WANTED}; got {type(frame).__name__}. {_advice_for_object(frame)}")
    given = f"{frame.dtype} {frame.shape}"
    if frame.size == 0:
        raise InputError(
            f"{_WANTED}; got an empty one, {given}. Check that the camera or file gave a picture"
        )
    if max(frame.shape[:2], default=0) > LONGEST_SIDE:
        raise InputError(
            f"{_WANTED} of at most {LONGEST_SIDE} pixels a side, which is what OpenCV can warp; got {given}. Make it smaller, or cut it"
        )
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise InputError(f"{_WANTED}; got {given}. {_advice_for_shape(frame.shape)}")
    if frame.dtype != np.uint8:
        raise InputError(f"{_WANTED}; got {given}. {_advice_for_dtype(frame.dtype)}")
    return frame


def _advice_for_object(frame: Any) -> str:
    if frame is None:
        return "cv2.imread and VideoCapture.read give None when they could not read: check the path or camera"
    if isinstance(frame, str | bytes) or hasattr(frame, "__fspath__"):
        return "Read the file first: cv2.imread(path)"
    return "Convert it: numpy.asarray(picture)[:, :, ::-1] turns an RGB picture into BGR"


def _advice_for_shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == 1):
        return "It looks grey; convert it: cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)"
    if len(shape) == 3 and shape[2] == 4:
        return "It looks like BGRA; convert it: cv2.cvtColor(frame, cv2.COLOR_BGRA2BGR)"
    if len(shape) == 3 and shape[0] == 3:
        return "It looks channels-first; convert it: frame.transpose(1, 2, 0)"
    if len(shape) == 4:
        return "It looks like several frames; give them one by one"
    return "Give one picture with three channels"


def _advice_for_dtype(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "f":
        return "Convert values of 0..1 with (frame * 255).round().astype('uint8'), values of 0..255 with frame.astype('uint8')"
    if dtype == np.uint16:
        return "Convert it: (frame // 257).astype('uint8')"
    return "Convert it: frame.astype('uint8')"
