"""The orientation that a picture file says it must be shown in, read from its EXIF data."""

from __future__ import annotations

import struct

from edgeau.sources.orientation import UPRIGHT
from edgeau.sources.picture_parts import PNG, TIFF, jpeg_segments, png_chunks, tiff_entries, webp_chunks

__all__ = ["exif_orientation", "tiff_as_stored"]

_TAG = 0x0112
_APP1 = 0xE1
_EXIF_HEAD = b"Exif\0\0"


def exif_orientation(data: bytes) -> int:
    """EXIF's orientation of a JPEG, PNG, WebP or TIFF file.

    Args:
        data: the whole file.

    Returns:
        1 to 8; 1 where the file says nothing, something else, or is cut before it says so.
    """
    try:
        tiff = _tiff_block(data)
        numbers = (entry.number(tiff) for entry in tiff_entries(tiff) if entry.tag == _TAG)
        number = next((number for number in numbers if number is not None), UPRIGHT)
    except (struct.error, IndexError):
        return UPRIGHT
    return number if 1 <= number <= 8 else UPRIGHT


def tiff_as_stored(data: bytes) -> bytes:
    """A TIFF file that says that it is upright: OpenCV turns TIFF by itself, whatever it is asked, and not in all releases."""
    if data[:4] not in TIFF:
        return data
    try:
        found = next((entry for entry in tiff_entries(data) if entry.tag == _TAG), None)
        if found is None or found.number(data) is None:
            return data
        changed = bytearray(data)
        struct.pack_into(found.order + ("H" if found.kind == 3 else "I"), changed, found.place, UPRIGHT)
    except struct.error:
        return data
    return bytes(changed)


def _tiff_block(data: bytes) -> bytes:
    """Find the EXIF data; empty without any."""
    if data[:2] == b"\xff\xd8":
        segments = (data[start:end] for marker, start, end in jpeg_segments(data) if marker == _APP1)
        block = next((segment for segment in segments if segment.startswith(_EXIF_HEAD)), b"")
    elif data[:8] == PNG:
        block = next((data[start:end] for name, start, end in png_chunks(data) if name == b"eXIf"), b"")
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        block = next((data[start:end] for name, start, end in webp_chunks(data) if name == b"EXIF"), b"")
    else:
        block = data if data[:4] in TIFF else b""
    return block.removeprefix(_EXIF_HEAD)
