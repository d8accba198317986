"""Reader of a picture file's first bytes: its kind and size, before anything is unpacked."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from edgeau.sources.picture_parts import (
    BIG_TIFF,
    PNG,
    TIFF,
    jpeg_segments,
    png_chunks,
    tiff_entries,
    webp_chunks,
)

__all__ = ["PICTURE_KINDS", "PictureHeader", "content_kind", "read_picture_header"]

PICTURE_KINDS = frozenset(("JPEG", "PNG", "WebP", "TIFF", "BMP", "PNM", "HEIC", "AVIF"))
"""What :func:`content_kind` calls pictures."""

# Frame headers of JPEG (ITU-T T.81, table B.1): all of C0..CF that are no tables.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Major brands of ISO base media files that are pictures (ISO/IEC 23008-12, section 10, and AVIF), and of their sequences.
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1"))
_AVIF = frozenset((b"avif",))
_SEQUENCES = frozenset((b"hevc", b"hevx", b"hevm", b"hevs", b"msf1", b"avis"))
_FILMS = (
    (4, b"ftyp", "MP4 or MOV film"),
    (4, b"moov", "MP4 or MOV film"),
    (0, b"GIF8", "GIF"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM film"),
    (8, b"AVI ", "AVI film"),
)


class PictureHeader(NamedTuple):
    """Kind and size of a picture file.

    Attributes:
        kind: ``JPEG``, ``PNG``, ``WebP``, ``TIFF``, ``BMP``, ``PNM``, ``HEIC`` or ``AVIF``.
        width: pixels as stored; the largest that it states, where it states several; 0 where it states none.
        height: likewise.
        is_animated: whether there are several pictures of a film in it.
    """

    kind: str
    width: int = 0
    height: int = 0
    is_animated: bool = False


def content_kind(data: bytes) -> str:
    """Tell what a file holds by its first 32 bytes: a picture's kind, a film, or nothing that is known (empty)."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC | _AVIF | _SEQUENCES:
        # A general brand leaves it to those that it is compatible with.
        brands = data[8:32] if data[8:12] in (b"mif1", b"msf1") else data[8:12]
        return "AVIF" if b"avif" in brands or b"avis" in brands else "HEIC"
    if data[:2] == b"\xff\xd8":
        return "JPEG"
    if data[:8] == PNG:
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:4] in (*TIFF, *BIG_TIFF):
        return "TIFF"
    if data[:2] == b"BM" and data[6:10] == b"\0\0\0\0":
        return "BMP"
    if re.match(rb"P[1-6][\s#]", data):
        return "PNM"
    return next((name for place, sign, name in _FILMS if data[place : place + len(sign)] == sign), "")


def read_picture_header(data: bytes) -> PictureHeader | None:
    """The header of a picture file; None when it is of no kind that is read here.

    Args:
        data: the whole file.
    """
    kind = content_kind(data)
    try:
        if kind == "JPEG":
            return PictureHeader(kind, *_largest(_jpeg_sizes(data)))
        if kind == "PNG":
            return _png(data)
        if kind == "WebP":
            return _webp(data)
        if kind == "TIFF":
            return PictureHeader(kind, *_largest(_tiff_sizes(data)))
        if kind == "BMP":
            return PictureHeader(kind, *_bmp_size(data))
        if kind == "PNM":
            return PictureHeader(kind, *_pnm_size(data))
    except (struct.error, IndexError):
        return PictureHeader(kind)
    if kind in ("HEIC", "AVIF"):
        return PictureHeader(kind, is_animated=data[8:12] in _SEQUENCES)
    return None


def _largest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The largest, where several are stated: which of them a decoder believes is not for us to guess."""
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def _jpeg_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    for marker, start, _ in jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 1)
            yield width, height


def _png(data: bytes) -> PictureHeader:
    sizes, animated = [], False
    for name, start, _ in png_chunks(data):
        if name == b"IHDR":
            sizes.append(struct.unpack_from(">II", data, start))
        animated |= name == b"acTL"
        if name == b"IDAT":
            break
    return PictureHeader("PNG", *_largest(sizes), is_animated=animated)


def _webp(data: bytes) -> PictureHeader:
    """RFC 9649, sections 2.5 to 2.7."""
    sizes: list[tuple[int, int]] = []
    animated = False
    for name, start, _ in webp_chunks(data):
        if name == b"VP8X":
            animated = bool(data[start] & 0x02)
            across, down = (data[start + at : start + at + 3] for at in (4, 7))
            sizes.append((1 + int.from_bytes(across, "little"), 1 + int.from_bytes(down, "little")))
        elif name == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, start + 6)
            sizes.append((width & 0x3FFF, height & 0x3FFF))
        elif name == b"VP8L":
            (bits,) = struct.unpack_from("<I", data, start + 1)
            sizes.append((1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)))
    return PictureHeader("WebP", *_largest(sizes), is_animated=animated)


def _tiff_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Every stated width with every stated height: of the picture, and of its tiles."""
    sides: dict[int, list[int]] = {256: [], 257: [], 322: [], 323: []}
    for entry in tiff_entries(data):
        if entry.tag in sides and (value := entry.number(data)) is not None:
            sides[entry.tag].append(value)
    for across, down in ((256, 257), (322, 323)):
        if sides[across] and sides[down]:
            yield max(sides[across]), max(sides[down])


def _bmp_size(data: bytes) -> tuple[int, int]:
    if struct.unpack_from("<I", data, 14)[0] == 12:  # the header of OS/2
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _pnm_size(data: bytes) -> tuple[int, int]:
    numbers = re.match(rb"P[1-6](?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})", data[:4096])
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
