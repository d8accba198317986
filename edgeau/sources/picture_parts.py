"""The parts that picture files are made of, walked as the usual decoders walk them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

__all__ = [
    "BIG_TIFF",
    "PNG",
    "TIFF",
    "TiffEntry",
    "jpeg_segments",
    "png_chunks",
    "tiff_entries",
    "tiff_pages",
    "webp_chunks",
]

PNG = b"\x89PNG\r\n\x1a\n"
"""The first bytes of a PNG file."""

TIFF = (b"II*\0", b"MM\0*")
"""The first bytes of a TIFF file, and of the TIFF block that EXIF data are."""

BIG_TIFF = (b"II+\0", b"MM\0+")
"""The first bytes of a TIFF file with addresses of 64 bits."""

_MOST_ENTRIES, _MOST_PAGES = 4096, 10_000
_SUBFILE, _COPY_OR_MASK = 254, 0b101
_START_OF_SCAN, _END = 0xDA, 0xD9


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the content of each segment before the compressed picture (ITU-T T.81, B.1.1).

    As libjpeg does, bytes between two segments are skipped, so that nobody sees other headers than the decoder.
    """
    place = 2
    while True:
        place = data.find(b"\xff", place)
        if place < 0:
            return
        while data[place : place + 1] == b"\xff":  # filling
            place += 1
        marker = data[place] if place < len(data) else _END
        place += 1
        if marker in (_END, _START_OF_SCAN):
            return
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:  # not a marker, or one without a content
            continue
        size = int.from_bytes(data[place : place + 2], "big")
        yield marker, place + 2, place + max(size, 2)
        place += max(size, 2)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each chunk (PNG specification, section 5.3)."""
    place = len(PNG)
    while place + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], place + 8, place + 8 + size
        place += 12 + size


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each chunk (RFC 9649, section 2.3)."""
    place = 12
    while place + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, place + 4)
        yield data[place : place + 4], place + 8, place + 8 + size
        place += 8 + size + size % 2


class TiffEntry(NamedTuple):
    """An entry of a TIFF directory.

    Attributes:
        tag: what it is of.
        kind: type of its values: 3 is short, 4 long, 16 of 64 bits.
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
        form = {3: "H", 4: "I", 16: "Q"}.get(self.kind)
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


def _directories(data: bytes) -> Iterator[Iterator[TiffEntry]]:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return
    is_big = data[:4] in BIG_TIFF
    address = order + ("Q" if is_big else "I")
    (directory,) = struct.unpack_from(address, data, 8 if is_big else 4)
    while directory:
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
