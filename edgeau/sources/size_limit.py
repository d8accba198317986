"""Limit on the size of a picture, read from a file's header before anything is unpacked."""

from __future__ import annotations

import os

from edgeau.errors import InputError, UsageError
from edgeau.sources.check_frame import LONGEST_SIDE

__all__ = ["ENVIRONMENT", "check_size", "most_pixels"]

ENVIRONMENT = "EDGEAU_MAX_PIXELS"
"""Environment variable that sets another limit."""

# The largest camera sensors have 200 million pixels; unpacked they take 600 MB. Ours.
_MOST_PIXELS = 200_000_000


def most_pixels() -> int:
    """Most pixels of one picture or frame: what :data:`ENVIRONMENT` says, else 200 million.

    Raises:
        UsageError: the variable holds no whole number of 1 or more.
    """
    text = os.environ.get(ENVIRONMENT, "").strip()
    if not text:
        return _MOST_PIXELS
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{ENVIRONMENT} must be a whole number of pixels, 1 or more, got {text!r}")
    return int(text)


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
