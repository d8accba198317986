"""TIFF: the file format, and the block of it that EXIF data are in every other picture file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from edgeau.sources.orientation import UPRIGHT

__all__ = [
    "BIG_TIFF",
    "TIFF",
    "TiffEntry",
    "tiff_as_stored",
    "tiff_entries",
    "tiff_orientation",
    "tiff_pages",
]

TIFF = (b"II*\0", b"MM\0*")
"""The first bytes of a TIFF file, and of the TIFF block that EXIF data are."""

BIG_TIFF = (b"II+\0", b"MM\0+")
"""The first bytes of a TIFF file with addresses of 64 bits."""

_MOST_ENTRIES, _MOST_PAGES = 4096, 10_000
_SUBFILE, _COPY_OR_MASK = 254, 0b101
_ORIENTATION = 0x0112
# Types of whole numbers (TIFF 6.0, section 2; 16 and 17 are BigTIFF's), as struct's letters: libtiff takes each for any other.
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}


class TiffEntry(NamedTuple):
    """An entry of a TIFF directory.

    Attributes:
        tag: what it is of.
        kind: type of its values: 3 is short, 4 long.
        values: how many they are.
        place: where they stand, or, where they do not fit, where their address stands.
        order: ``<`` or ``>``, for :mod:`struct`.
        is_big: whether addresses have 64 bits.
    """

    tag: int
    kind: int
    values: int
    place: int
    order: str
    is_big: bool

    def number(self, data: bytes) -> int | None:
        """Its value, where it is one whole number."""
        form = _WHOLE_NUMBERS.get(self.kind)
        if form is None or self.values != 1:
            return None
        value: int = struct.unpack_from(self.order + form, data, self.place)[0]
        return value

    def content(self, data: bytes) -> bytes:
        """Its bytes, where they are bytes."""
        fits = self.values <= (8 if self.is_big else 4)
        place = (
            self.place
            if fits
            else struct.unpack_from(self.order + ("Q" if self.is_big else "I"), data, self.place)[0]
        )
        return data[place : place + self.values]


def tiff_entries(data: bytes) -> Iterator[TiffEntry]:
    """The entries of the first directory of a TIFF file or block (TIFF 6.0, section 2).

    Raises:
        struct.error: it is cut.
    """
    return next(_directories(data), iter(()))


def tiff_pages(data: bytes) -> int:
    """Count the pictures of a TIFF file; smaller copies of another one, and masks, do not count.

    Raises:
        struct.error: it is cut.
    """
    kinds = (
        next((entry.number(data) or 0 for entry in entries if entry.tag == _SUBFILE), 0)
        for entries in islice(_directories(data), _MOST_PAGES)
    )
    return sum(not kind & _COPY_OR_MASK for kind in kinds)


def tiff_orientation(data: bytes) -> int:
    """EXIF's orientation of a TIFF file, or of the block that EXIF data are.

    Returns:
        1 to 8; 1 where it says nothing, something else, or is cut before it says so.
    """
    try:
        numbers = (entry.number(data) for entry in tiff_entries(data) if entry.tag == _ORIENTATION)
        number = next((number for number in numbers if number is not None), UPRIGHT)
    except struct.error:
        return UPRIGHT
    return number if 1 <= number <= 8 else UPRIGHT


def tiff_as_stored(data: bytes) -> bytes:
    """A TIFF file that says that it is upright: OpenCV turns TIFF by itself, whatever it is asked, and not in all releases."""
    with suppress(struct.error):
        found = next((entry for entry in tiff_entries(data) if entry.tag == _ORIENTATION), None)
        if found is not None and found.number(data) is not None:
            changed = bytearray(data)
            struct.pack_into(found.order + _WHOLE_NUMBERS[found.kind], changed, found.place, UPRIGHT)
            return bytes(changed)
    return data


def _directories(data: bytes) -> Iterator[Iterator[TiffEntry]]:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return
    is_big = data[:4] in BIG_TIFF
    address = order + ("Q" if is_big else "I")
    (directory,) = struct.unpack_from(address, data, 8 if is_big else 4)
    seen = set[int]()
    while 0 < directory <= len(data) and directory not in seen:  # behind the end there is nothing to unpack
        seen.add(directory)
        (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), data, directory)
        first, step = directory + (8 if is_big else 2), 20 if is_big else 12
        yield _entries(data, first, min(count, _MOST_ENTRIES), order, is_big=is_big)
        following = first + step * count
        # EXIF's block may end behind its only directory.
        (directory,) = struct.unpack_from(address, data, following) if following + 8 <= len(data) else (0,)


def _entries(data: bytes, first: int, count: int, order: str, *, is_big: bool) -> Iterator[TiffEntry]:
    for number in range(count):
        place = first + (20 if is_big else 12) * number
        tag, kind, values = struct.unpack_from(order + ("HHQ" if is_big else "HHI"), data, place)
        yield TiffEntry(tag, kind, values, place + (12 if is_big else 8), order, is_big)
