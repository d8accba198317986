"""The orientation that a picture file says it must be shown in, read from its EXIF data."""

from __future__ import annotations

import struct

from edgeau.sources.orientation import UPRIGHT

__all__ = ["exif_orientation", "tiff_as_stored"]

_TAG, _SHORT, _LONG = 0x0112, 3, 4
_EXIF_HEAD = b"Exif\0\0"
_MOST_ENTRIES = 4096
_TIFF = (b"II*\0", b"MM\0*")


def exif_orientation(data: bytes) -> int:
    """EXIF's orientation of a JPEG, PNG, WebP or TIFF file.

    Args:
        data: the whole file.

    Returns:
        1 to 8; 1 where the file says nothing, something else, or is cut before it says so.
    """
    try:
        tiff = _tiff_block(data)
        number = _orientation(tiff) if tiff else UPRIGHT
    except (struct.error, IndexError):
        return UPRIGHT
    return number if 1 <= number <= 8 else UPRIGHT


def tiff_as_stored(data: bytes) -> bytes:
    """A TIFF file that says that it is upright: OpenCV turns TIFF by itself, whatever it is asked, and not in all releases."""
    try:
        found = _value(data) if data[:4] in _TIFF else None
    except (struct.error, IndexError):
        return data
    if found is None:
        return data
    changed = bytearray(data)
    struct.pack_into(found[1], changed, found[0], UPRIGHT)
    return bytes(changed)


def _tiff_block(data: bytes) -> bytes | None:
    if data[:2] == b"\xff\xd8":
        return _in_jpeg(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _in_chunks(data, 8, b"eXIf", ">", trailer=4, even=False)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        block = _in_chunks(data, 12, b"EXIF", "<", trailer=0, even=True)
        return block[6:] if block is not None and block.startswith(_EXIF_HEAD) else block
    return data if data[:4] in _TIFF else None


def _in_jpeg(data: bytes) -> bytes | None:
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:  # a filling byte
            place += 1
            continue
        if marker in (0xD9, 0xDA):  # the end, or the compressed picture: no more headers
            return None
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            place += 2
            continue
        (size,) = struct.unpack_from(">H", data, place + 2)
        segment = data[place + 4 : place + 2 + size]
        if marker == 0xE1 and segment.startswith(_EXIF_HEAD):
            return segment[len(_EXIF_HEAD) :]
        place += 2 + max(size, 2)
    return None


def _in_chunks(
    data: bytes, place: int, wanted: bytes, order: str, *, trailer: int, even: bool
) -> bytes | None:
    """A chunk of a PNG (size, name, content, checksum) or RIFF file (name, size, content, padding)."""
    while place + 8 <= len(data):
        if even:
            name, size = data[place : place + 4], struct.unpack_from(f"{order}I", data, place + 4)[0]
        else:
            name, size = data[place + 4 : place + 8], struct.unpack_from(f"{order}I", data, place)[0]
        if name == wanted:
            return data[place + 8 : place + 8 + size]
        place += 8 + size + trailer + (size % 2 if even else 0)
    return None


def _orientation(tiff: bytes) -> int:
    found = _value(tiff)
    if found is None:
        return UPRIGHT
    place, form = found
    number: int = struct.unpack_from(form, tiff, place)[0]
    return number


def _value(tiff: bytes) -> tuple[int, str] | None:
    """Where the orientation stands in a TIFF block, and how it is packed; None where it says none."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return None
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, directory)
    for entry in range(min(count, _MOST_ENTRIES)):
        place = directory + 2 + 12 * entry
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, place)
        if tag == _TAG and values == 1 and kind in (_SHORT, _LONG):
            return place + 8, order + ("H" if kind == _SHORT else "I")
    return None
