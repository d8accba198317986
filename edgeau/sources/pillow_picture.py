"""Pictures that OpenCV's wheels cannot read, or read wrongly: HEIC and AVIF, through Pillow where it is installed."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import DependencyError, InputError

__all__ = ["is_heif", "read_heif"]

# Brands of ISO/IEC 23008-12 and AVIF files; what stands behind "ftyp" at the start of the file.
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_AVIF = frozenset((b"avif", b"avis"))


def is_heif(data: bytes) -> bool:
    """Whether a file is a HEIC or AVIF picture, by its first bytes."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIC | _AVIF


def read_heif(data: bytes, name: str) -> NDArray[np.uint8]:
    """Read a HEIC or AVIF picture, turned and mirrored as it must be seen.

    Args:
        data: the whole file.
        name: for messages.

    Returns:
        uint8 ``(height, width, 3 or 4)``: BGR, or BGRA where it has transparent pixels.

    Raises:
        DependencyError: Pillow or its HEIF reader is not installed.
        InputError: it is damaged.
    """
    kind = "AVIF" if data[8:12] in _AVIF else "HEIC"
    try:
        from PIL import Image, ImageOps

        if kind == "HEIC":
            import pi_heif

            pi_heif.register_heif_opener()
        else:
            from PIL import AvifImagePlugin  # noqa: F401 - Pillow before 11.3 has none
    except ImportError as error:
        raise DependencyError(
            f"{name} is a {kind} picture, which needs a reader: pip install 'edgeau[heic]' ({error}); "
            "or save it as JPEG"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image: Any = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
            pixels = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except Image.DecompressionBombWarning as error:
        raise InputError(f"{name} has too many pixels: {error}") from error
    except Exception as error:  # its decoders raise what they like on damaged files
        raise InputError(f"{name} is a damaged {kind} picture: {error}") from error
    order = (2, 1, 0, 3)[: pixels.shape[2]]
    return np.ascontiguousarray(pixels[:, :, order])
