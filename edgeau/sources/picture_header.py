"""Reader of a picture file's headers, in one pass: its kind and size, before anything is unpacked, and how it is to be shown."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from edgeau.sources.orientation import UPRIGHT
from edgeau.sources.tiff import BIG_TIFF, TIFF, tiff_entries, tiff_orientation, tiff_pages

__all__ = ["PICTURE_KINDS", "PictureHeader", "content_kind", "read_picture_header"]

PICTURE_KINDS = frozenset(("JPEG", "PNG", "WebP", "TIFF", "BMP", "PNM", "HEIC", "AVIF"))
"""What :func:`content_kind` calls pictures."""

_PNG = b"\x89PNG\r\n\x1a\n"
# What describes its colours, before the pixels (third edition, section 11.3.2).
_PNG_COLOURS = frozenset((b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"))
# Frame headers of JPEG (ITU-T T.81, table B.1): all of C0..CF that are no tables.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END = 0xDA, 0xD9
_APP1, _APP2, _EXIF_HEAD, _PROFILE_HEAD = 0xE1, 0xE2, b"Exif\0\0", b"ICC_PROFILE\0"
# A TIFF's tags: width and height of the picture, of its tiles; what a fourth channel is; the profile.
_WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT, _EXTRA_SAMPLES, _PROFILE = 256, 257, 322, 323, 338, 34675
_MOST_PROFILE_BYTES = 4 << 20
# Major brands of ISO base media files that are pictures (ISO/IEC 23008-12, section 10, and AVIF), and of their sequences.
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1"))
_AVIF = frozenset((b"avif",))
_SEQUENCES = frozenset((b"hevc", b"hevx", b"hevm", b"hevs", b"msf1", b"avis"))
_COLOURS_WITHIN = 1 << 16  # bytes at the start that the description of a HEIC or AVIF picture fits into
_FILMS = (
    (4, b"ftyp", "MP4 or MOV film"),
    (4, b"moov", "MP4 or MOV film"),
    (0, b"GIF8", "GIF"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM film"),
    (8, b"AVI ", "AVI film"),
)


@dataclass
class PictureHeader:
    """Statements of a picture file about itself.

    Attributes:
        kind: one of :data:`PICTURE_KINDS`.
        width: pixels as stored; the largest that it states, where it states several: which of them a decoder believes is not
            for us to guess. 0 where it states none.
        height: likewise.
        is_animated: whether there are several pictures of a film in it.
        is_cut: whether a part of a PNG says more bytes than the file has behind it.
        pages: number of pictures in a TIFF file.
        extra_samples: what a TIFF's fourth channel is (TIFF 6.0, section 18); None where it does not say.
        orientation: EXIF's, 1 to 8; not of HEIC and AVIF.
        profile: the ICC profile, empty without any; not of HEIC and AVIF.
        transfer: number of the transfer curve (ITU-T H.273) that PNG, HEIC and AVIF may state; 0 for none.
        colour_chunks: what describes a PNG's colours: the content of those chunks, by name.
    """

    kind: str
    width: int = 0
    height: int = 0
    is_animated: bool = False
    is_cut: bool = False
    pages: int = 1
    extra_samples: int | None = None
    orientation: int = UPRIGHT
    profile: bytes = b""
    transfer: int = 0
    colour_chunks: dict[bytes, bytes] = field(default_factory=dict)

    def _state(self, width: int, height: int) -> None:
        if width * height > self.width * self.height:
            self.width, self.height = width, height


def content_kind(data: bytes) -> str:
    """Tell what a file holds by its first 32 bytes: a picture's kind, a film, or nothing that is known (empty)."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC | _AVIF | _SEQUENCES:
        # A general brand leaves it to those that it is compatible with.
        brands = data[8:32] if data[8:12] in (b"mif1", b"msf1") else data[8:12]
        return "AVIF" if b"avif" in brands or b"avis" in brands else "HEIC"
    if data[:2] == b"\xff\xd8":
        return "JPEG"
    if data[:8] == _PNG:
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

    Of a file that is cut, what stands before the cut.

    Args:
        data: the whole file.
    """
    header = PictureHeader(content_kind(data))
    if header.kind not in PICTURE_KINDS:
        return None
    exif = b""
    if header.kind == "JPEG":
        exif = _read_jpeg(data, header)
    elif header.kind == "PNG":
        exif = _read_png(data, header)
    elif header.kind == "WebP":
        exif = _read_webp(data, header)
    elif header.kind in ("HEIC", "AVIF"):
        header.is_animated = data[8:12] in _SEQUENCES
        # Its colour box (ISO/IEC 23008-12 takes it from ISO/IEC 14496-12, section 12.1.5).
        place = data.find(b"colrnclx", 0, _COLOURS_WITHIN)
        header.transfer = int.from_bytes(data[place + 10 : place + 12], "big") if place >= 0 else 0
    elif header.kind in ("BMP", "PNM"):
        _read_plain(data, header)
    else:
        exif = _read_tiff(data, header)
    header.orientation = tiff_orientation(exif.removeprefix(_EXIF_HEAD))
    return header


def _read_jpeg(data: bytes, header: PictureHeader) -> bytes:
    """Fill a header; returns the EXIF data, as the other readers do."""
    exif, profile = b"", []
    for marker, start, end in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            with suppress(struct.error):
                height, width = struct.unpack_from(">HH", data, start + 1)
                header._state(width, height)
        elif marker == _APP1 and not exif and data.startswith(_EXIF_HEAD, start):
            exif = data[start:end]
        elif marker == _APP2 and data.startswith(_PROFILE_HEAD, start):
            profile.append(data[start + len(_PROFILE_HEAD) : end])
    # Each part stands behind its number, and the number of parts.
    header.profile = b"".join(part[2:] for part in sorted(profile, key=lambda part: part[:1]))
    return exif


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
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


def _read_png(data: bytes, header: PictureHeader) -> bytes:
    """Walk the chunks (PNG specification, third edition, sections 5.3 and 11)."""
    exif, is_before_pixels, said = b"", True, header.colour_chunks
    place = len(_PNG)
    while place + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        name, start, end = data[place + 4 : place + 8], place + 8, place + 8 + size
        if is_before_pixels and name == b"IHDR":
            with suppress(struct.error):
                header._state(*struct.unpack_from(">II", data, start))
        elif is_before_pixels and name in _PNG_COLOURS:
            said.setdefault(name, data[start:end])
        elif name == b"eXIf":
            exif = exif or data[start:end]
        header.is_animated |= is_before_pixels and name == b"acTL"
        is_before_pixels &= name != b"IDAT"
        if name == b"IEND":  # what follows is for nobody
            break
        header.is_cut |= end > len(data)
        place += 12 + size
    if len(coded := said.get(b"cICP", b"")) == 4:
        header.transfer = coded[1]
    with suppress(zlib.error):
        packed = said.get(b"iCCP", b"").partition(b"\0")[2][1:]  # behind its name and the method
        header.profile = zlib.decompressobj().decompress(packed, _MOST_PROFILE_BYTES)
    return exif


def _read_webp(data: bytes, header: PictureHeader) -> bytes:
    """Walk the chunks (RFC 9649, sections 2.3 to 2.7)."""
    exif, place = b"", 12
    while place + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, place + 4)
        name, start = data[place : place + 4], place + 8
        with suppress(struct.error, IndexError):
            if name == b"VP8X":
                header.is_animated = bool(data[start] & 0x02)
                across, down = (data[start + at : start + at + 3] for at in (4, 7))
                header._state(1 + int.from_bytes(across, "little"), 1 + int.from_bytes(down, "little"))
            elif name == b"VP8 ":
                width, height = struct.unpack_from("<HH", data, start + 6)
                header._state(width & 0x3FFF, height & 0x3FFF)
            elif name == b"VP8L":
                (bits,) = struct.unpack_from("<I", data, start + 1)
                header._state(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        if name == b"ICCP":
            header.profile = header.profile or data[start : start + size]
        elif name == b"EXIF":
            exif = exif or data[start : start + size]
        place += 8 + size + size % 2
    return exif


def _read_tiff(data: bytes, header: PictureHeader) -> bytes:
    """Take every stated width with every stated height: of the picture, and of its tiles."""
    sides = dict.fromkeys((_WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT), 0)
    with suppress(struct.error):
        for entry in tiff_entries(data):
            if entry.tag in sides:
                sides[entry.tag] = max(sides[entry.tag], entry.number(data) or 0)
            elif entry.tag == _EXTRA_SAMPLES:
                header.extra_samples = entry.number(data)
            elif entry.tag == _PROFILE:
                header.profile = header.profile or entry.content(data)
    header._state(sides[_WIDTH], sides[_HEIGHT])
    header._state(sides[_TILE_WIDTH], sides[_TILE_HEIGHT])
    with suppress(struct.error):
        header.pages = tiff_pages(data)
    return data


def _read_plain(data: bytes, header: PictureHeader) -> None:
    """BMP and PNM, which state nothing but a size."""
    if header.kind == "PNM":
        numbers = re.match(
            rb"P[1-6](?:\s|#[^\n]*\n)+0*(\d{1,9})(?:\s|#[^\n]*\n)+0*(\d{1,9})", data[: 1 << 20]
        )
        if numbers:
            header._state(int(numbers[1]), int(numbers[2]))
        return
    with suppress(struct.error):
        is_of_os2 = struct.unpack_from("<I", data, 14)[0] == 12
        width, height = struct.unpack_from("<HH" if is_of_os2 else "<ii", data, 18)
        header._state(abs(width), abs(height))
