"""Pictures that OpenCV's wheels cannot read, or read wrongly: HEIC and AVIF, through Pillow where it is installed."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, InputError
from edgeau.sources.check_frame import check_size

__all__ = ["read_heif"]


def read_heif(data: bytes, kind: str, name: str) -> tuple[NDArray[np.uint8], bytes]:
    """Read a HEIC or AVIF picture, turned and mirrored as it must be seen.

    Args:
        data: the whole file.
        kind: ``HEIC`` or ``AVIF``.
        name: for messages.

    Returns:
        uint8 ``(height, width, 3 or 4)``: BGR, or BGRA where it has transparent pixels; and its ICC profile, or nothing.

    Raises:
        DependencyError: Pillow or its HEIF reader is not installed.
        InputError: it is damaged or too large.
    """
    try:
        from PIL import Image, ImageOps

        if kind == "HEIC":
            import pi_heif

            pi_heif.register_heif_opener()
        else:
            from PIL import AvifImagePlugin  # noqa: F401 - Pillow before 11.3 has none
    except ImportError as error:
        raise DependencyError(
            f"{name} is a {kind} picture, which needs a reader: {extra_line('heic')} ({error}); "
            "or save it as JPEG"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is ours
            image: Any = Image.open(io.BytesIO(data))
            check_size(image.width, image.height, name)
            profile = image.info.get("icc_profile") or b""
            image = ImageOps.exif_transpose(image)
            pixels = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} has too many pixels: {error}") from error
    except Exception as error:  # its decoders raise what they like on damaged files
        raise InputError(f"{name} is a damaged {kind} picture: {error}") from error
    order = (2, 1, 0, 3)[: pixels.shape[2]]
    return np.ascontiguousarray(pixels[:, :, order]), profile
