"""Reading one picture file into BGR of 8 bits, as viewers show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources.exif import exif_orientation, tiff_as_stored
from edgeau.sources.orientation import oriented
from edgeau.sources.pillow_picture import is_heif, read_heif

__all__ = ["is_animated", "read_picture"]

# What shows through transparent pixels: the border value of the alignment, so that neither edge nor fill looks special.
_BEHIND = 128
# OpenCV gives what is stored; turning by EXIF is done here, because OpenCV does it for some formats of some releases only.
_AS_STORED = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture.

    Grey becomes BGR, 16 bits become 8, EXIF turning and mirroring is applied, transparent pixels show mid-grey.

    Args:
        path: any path, also with letters that are not ASCII.

    Returns:
        uint8 ``(height, width, 3)``, BGR.

    Raises:
        InputError: the file cannot be read, is damaged, is not a picture, holds several pictures, or holds float values.
        DependencyError: it is HEIC or AVIF, and Pillow or its reader is not installed.
    """
    name = repr(str(path))
    try:
        # Reading the bytes ourselves: cv2.imread cannot open every path on every system.
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from error
    if is_heif(content):
        return _without_alpha(read_heif(content, name))
    if is_animated(content):
        raise InputError(
            f"{name} is an animation of several pictures; save the wanted ones as pictures, or make it a video"
        )
    image = _decoded(tiff_as_stored(content))
    if image is None:
        raise InputError(f"{name} is not a picture that OpenCV can read, or it is damaged")
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{name} holds {image.dtype} values; map them to 8 or 16 bits (tone mapping) first")
    pages = _pages(path, content)
    if pages > 1:
        raise InputError(f"{name} holds {pages} pictures; save the wanted ones as files of their own")
    return oriented(_eight_bits(_three_channels(image)), exif_orientation(content))


def is_animated(content: bytes) -> bool:
    """Whether a file is an animated PNG or WebP, of which OpenCV would read the first picture only."""
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return 0 <= content.find(b"acTL", 8, 4096) < content.find(b"IDAT", 8)
    # The extended header of WebP holds the flag (RFC 9649, section 2.7).
    return content[8:16] == b"WEBPVP8X" and len(content) > 20 and bool(content[20] & 0x02)


def _decoded(content: bytes) -> NDArray[Any] | None:
    if not content:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), _AS_STORED)
    except cv2.error:
        return None
    return None if image is None or image.size == 0 else image


def _pages(path: Path, content: bytes) -> int:
    if content[:4] not in _TIFF:
        return 1
    try:
        return cv2.imcount(str(path))
    except cv2.error:
        return 1


def _three_channels(image: NDArray[Any]) -> NDArray[Any]:
    """BGR, of what grey, grey with alpha, BGR or BGRA was stored."""
    if image.ndim == 2:
        image = image[:, :, None]
    channels = image.shape[2]
    if channels == 2:
        grey, alpha = image[:, :, :1], image[:, :, 1:]
        return _without_alpha(np.concatenate((grey, grey, grey, alpha), axis=2))
    if channels == 1:
        return np.repeat(image, 3, axis=2)
    return _without_alpha(image)


def _without_alpha(image: NDArray[Any]) -> NDArray[Any]:
    """A picture over mid-grey where it is transparent."""
    alpha = image[:, :, 3:]
    full = np.iinfo(image.dtype).max
    if not alpha.size or (alpha == full).all():
        return np.ascontiguousarray(image[:, :, :3])
    share = alpha.astype(np.float32) / full
    behind = _BEHIND / 255 * full
    blend: NDArray[Any] = np.rint(image[:, :, :3] * share + behind * (1 - share))
    return blend.astype(image.dtype)


def _eight_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return image
    return cv2.convertScaleAbs(image, alpha=255 / 65535)  # type: ignore[return-value]
