"""Reading one picture file into BGR of 8 bits, as viewers show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources.check_frame import ENVIRONMENT, check_size, most_pixels
from edgeau.sources.display_colours import HLG, PQ, ColourProfile, profiled_colours
from edgeau.sources.icc import read_profile
from edgeau.sources.orientation import orient
from edgeau.sources.picture_header import content_kind, read_picture_header
from edgeau.sources.pillow_picture import read_heif
from edgeau.sources.png_colours import profile_of_png
from edgeau.sources.tiff import tiff_as_stored

__all__ = ["decoded_picture", "read_picture"]

# What shows through transparent pixels: the border value of the alignment, so that neither edge nor fill looks special.
_BEHIND = 128
# What a TIFF says of its fourth channel (TIFF 6.0, section 18).
_MULTIPLIED, _OPACITY = 1, 2
# Kinds whose size, turn and profile their reader tells.
_WITHIN = ("HEIC", "AVIF")
# Bytes of a pixel at most (four channels of 16 bits), and of what is in a file beside its pixels. Ours.
_PIXEL, _BESIDE = 8, 64 << 20
# OpenCV gives what is stored; turning by EXIF is done here, because OpenCV does it for some formats of some releases only.
_AS_STORED = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture file.

    Args:
        path: any path, also with letters that are not ASCII.

    Returns:
        uint8 ``(height, width, 3)``, BGR; see :func:`decoded_picture`.

    Raises:
        InputError: the file cannot be read, or as :func:`decoded_picture`.
        DependencyError: it is HEIC or AVIF, and Pillow or its reader is not installed.
    """
    name = repr(str(path))
    try:
        # Reading the bytes ourselves: cv2.imread cannot open every path on every system.
        size = path.stat().st_size
        if size > _PIXEL * most_pixels() + _BESIDE:
            raise InputError(
                f"{name} has {size:,} bytes, more than a picture of {most_pixels() / 1e6:g} million pixels; set {ENVIRONMENT} to "
                "more where it is one"
            )
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from error
    return decoded_picture(content, name)


def decoded_picture(content: bytes, name: str) -> NDArray[np.uint8]:
    """A picture file in memory: JPEG, PNG, WebP, TIFF, BMP or PNM, or HEIC and AVIF through Pillow.

    Grey becomes BGR, 16 bits become 8, turning and mirroring (EXIF) and colour profiles (ICC, of three primaries and curves; a PNG's
    gAMA, cHRM and cICP) are applied, transparent pixels show mid-grey. Of a JPEG with several pictures (MPO) it is the first, as in viewers.

    Args:
        content: the whole file.
        name: for messages, in quotation marks where it is a path.

    Returns:
        uint8 ``(height, width, 3)``, BGR.

    Raises:
        InputError: it is damaged, is not such a picture, has more pixels than
            :func:`~edgeau.sources.check_frame.most_pixels`, holds several pictures, holds float values or high dynamic range.
        DependencyError: it is HEIC or AVIF, and Pillow or its reader is not installed.
    """
    header = read_picture_header(content)
    if header is None:
        raise InputError(
            f"{name} is not a picture that OpenCV can read, or it is damaged{_what_else(content)}"
        )
    if header.is_animated:
        raise InputError(
            f"{name} is an animation of several pictures; save the wanted ones as pictures, or make it a video"
        )
    if header.kind not in _WITHIN and not header.width * header.height:
        # Whatever a decoder made of it would not have been looked at first.
        raise InputError(f"{name} is a {header.kind} picture that does not state its size, or it is damaged")
    check_size(header.width, header.height, name)
    if header.is_cut:  # OpenCV takes memory for as many bytes as the part says, gigabytes
        raise InputError(f"{name} is truncated or damaged: a part of it claims more bytes than the file has")
    if header.transfer in (PQ, HLG):
        raise InputError(f"{name} is a high dynamic range picture; export it as sRGB first")
    image: NDArray[Any] | None
    if header.kind in _WITHIN:
        image, header.profile = read_heif(content, header.kind, name)
    else:
        image = _decoded(tiff_as_stored(content) if header.kind == "TIFF" else content)
    if image is None:
        raise InputError(f"{name} is not a picture that OpenCV can read, or it is damaged")
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{name} holds {image.dtype} values; map them to 8 or 16 bits (tone mapping) first")
    if header.pages > 1:
        raise InputError(f"{name} holds {header.pages} pictures; save the wanted ones as files of their own")
    if header.kind == "TIFF":
        image = _straight(image, header.extra_samples)
    profile = profile_of_png(header) if header.kind == "PNG" else read_profile(header.profile)
    return orient(_three_channels(image, profile), header.orientation)


def _what_else(content: bytes) -> str:
    """Tell what a file is whose name says picture, where that can be told."""
    kind = content_kind(content[:64])
    return f" (it is a {kind}, whatever its name says)" if kind else ""


def _decoded(content: bytes) -> NDArray[Any] | None:
    if not content:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), _AS_STORED)
    except cv2.error:
        return None
    return None if image is None or image.size == 0 else image


def _three_channels(image: NDArray[Any], profile: ColourProfile | None) -> NDArray[np.uint8]:
    """BGR of 8 bits in sRGB, of what grey, grey with alpha, BGR or BGRA was stored; over mid-grey where it is transparent."""
    if image.ndim == 2:
        image = image[:, :, None]
    channels = image.shape[2]
    colours = image[:, :, :3] if channels > 2 else np.repeat(image[:, :, :1], 3, axis=2)
    colours = np.ascontiguousarray(colours)
    shown = _eight_bits(colours) if profile is None else profiled_colours(colours, profile)
    if channels in (1, 3):
        return shown
    alpha = image[:, :, -1:]
    full = np.iinfo(image.dtype).max
    if (alpha == full).all():
        return shown
    share = alpha.astype(np.float32) / full
    return np.asarray(np.rint(shown * share + _BEHIND * (1 - share)), np.uint8)


def _straight(image: NDArray[Any], extra: int | None) -> NDArray[Any]:
    """A TIFF's colours as they are, where it holds, or OpenCV gives, them multiplied by their opacity."""
    # libtiff multiplies them itself when it makes 8 bits, which is how OpenCV has it read them.
    multiplied = extra == _MULTIPLIED or (extra == _OPACITY and image.dtype == np.uint8)
    if not multiplied or image.ndim != 3 or image.shape[2] != 4:
        return image
    full = np.iinfo(image.dtype).max
    alpha = np.maximum(image[:, :, 3:], 1).astype(np.float32) / full
    image[:, :, :3] = np.rint(np.minimum(image[:, :, :3] / alpha, full))
    return image


def _eight_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return image
    return cv2.convertScaleAbs(image, alpha=255 / 65535)  # type: ignore[return-value]
