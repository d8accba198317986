"""Reading one picture file into BGR of 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edgeau.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_picture"]

_JPEG = b"\xff\xd8"
# What shows through transparent pixels: the border value of the alignment, so that neither edge nor fill looks special.
_BEHIND = 128


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture.

    Grey becomes BGR, 16 bits become 8, EXIF rotation is applied, transparent pixels show mid-grey.

    Args:
        path: any path, also with letters that are not ASCII.

    Returns:
        uint8 ``(height, width, 3)``, BGR.

    Raises:
        InputError: the file cannot be read, is damaged, is not a picture, or holds float values.
    """
    try:
        # Reading the bytes ourselves: cv2.imread cannot open every path on every system.
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    image = _decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if image is None:
        raise InputError(f"{str(path)!r} is not a picture that OpenCV can read, or it is damaged")
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{str(path)!r} holds {image.dtype} values; map them to 8 or 16 bits (tone mapping) first"
        )
    if data[:2].tobytes() != _JPEG:
        image = _without_alpha(image, _decode(data, cv2.IMREAD_UNCHANGED))
    return _eight_bits(image)


def _decode(data: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    if data.size == 0:
        return None
    try:
        return cv2.imdecode(data, flags)
    except cv2.error:
        return None


def _without_alpha(image: NDArray[Any], raw: NDArray[Any] | None) -> NDArray[Any]:
    """The picture over mid-grey where it is transparent."""
    if raw is None or raw.ndim != 3 or raw.shape[2] != 4 or raw.shape[:2] != image.shape[:2]:
        return image
    full = np.iinfo(raw.dtype).max
    alpha = raw[:, :, 3:]
    if (alpha == full).all():
        return image
    share = alpha.astype(np.float32) / full
    behind = _BEHIND / 255 * full
    blend: NDArray[Any] = np.rint(raw[:, :, :3] * share + behind * (1 - share))
    return blend.astype(raw.dtype)


def _eight_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return image
    return cv2.convertScaleAbs(image, alpha=255 / 65535)  # type: ignore[return-value]
