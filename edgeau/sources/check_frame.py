"""The checks that something is a frame, and that a picture is not too large to become one: read from a header before anything is unpacked."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError, UsageError

__all__ = ["ENVIRONMENT", "LONGEST_SIDE", "check_frame", "check_size", "most_pixels"]

ENVIRONMENT = "EDGEAU_MAX_PIXELS"
"""Environment variable that sets another limit."""

# The largest camera sensors have 200 million pixels; unpacked they take 600 MB. Ours.
_MOST_PIXELS = 200_000_000

# OpenCV's warps number pixels in 16 bits with a sign, and fail at the last one.
LONGEST_SIDE = 32766
_DIGITS = 18
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
    if frame.dtype == np.uint8 and frame.ndim == 3:
        height, width, channels = frame.shape
        if 0 < height <= LONGEST_SIDE and 0 < width <= LONGEST_SIDE and channels == 3:
            return frame
    raise InputError(_fault(frame))


def _fault(frame: NDArray[Any]) -> str:
    """Explain why an array is not a frame, and how to convert it."""
    given = f"{frame.dtype} {frame.shape}"
    if frame.size == 0:
        return f"{_WANTED}; got an empty one, {given}. Check that the camera or file gave a picture"
    if max(frame.shape[:2], default=0) > LONGEST_SIDE:
        return f"{_WANTED} of at most {LONGEST_SIDE} pixels a side, which is what OpenCV can warp; got {given}. Make it smaller, or cut it"
    if frame.ndim != 3 or frame.shape[2] != 3:
        return f"{_WANTED}; got {given}. {_advice_for_shape(frame.shape)}"
    return f"{_WANTED}; got {given}. {_advice_for_dtype(frame.dtype)}"


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


def most_pixels() -> int:
    """Most pixels of one picture or frame: what :data:`ENVIRONMENT` says, else 200 million.

    Raises:
        UsageError: the variable holds no whole number of 1 or more.
    """
    text = os.environ.get(ENVIRONMENT, "").strip()
    if not text:
        return _MOST_PIXELS
    # No picture has more pixels than the longest side twice, and FFmpeg takes no larger number.
    if not text.isdecimal() or not int(text[:_DIGITS]) >= 1 or len(text) > _DIGITS:
        raise UsageError(
            f"{ENVIRONMENT} must be a whole number of pixels, 1 or more, of at most {_DIGITS} digits; got {text[: 2 * _DIGITS]!r}"
        )
    return min(int(text), LONGEST_SIDE**2)


def check_size(width: int, height: int, name: str) -> None:
    """Refuse a picture that is too large.

    Args:
        width: stated, pixels.
        height: stated, pixels.
        name: name of the file, for the message.

    Raises:
        InputError: it has more pixels than :func:`most_pixels`, or a side is longer than OpenCV can warp.
    """
    if max(width, height) > LONGEST_SIDE:
        raise InputError(
            f"{name} is {width} x {height} pixels; a side may have at most {LONGEST_SIDE}, which is what OpenCV can warp. "
            "Make it smaller, or cut it"
        )
    most = most_pixels()
    if width * height > most:
        raise InputError(
            f"{name} is {width} x {height} pixels, {width * height / 1e6:.0f} million; at most {most / 1e6:g} million are "
            f"unpacked. Make it smaller, or set {ENVIRONMENT} to more"
        )
