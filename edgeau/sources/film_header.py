"""Reader of an MP4 or MOV file's header: how its video wants to be shown, for decoders that do not tell."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from edgeau.sources.mp4_boxes import TOP, Mp4Box, boxes, is_mp4
from edgeau.sources.orientation import UPRIGHT, orientation_of_matrix

__all__ = ["Crop", "FilmHeader", "dolby_only", "read_film_headers"]

# Bytes of a visual sample entry before its own boxes (ISO/IEC 14496-12, section 12.1.3), and where its size stands.
_VISUAL_ENTRY, _ENTRY_SIZE = 78, 24
_UNKNOWN = 2  # of ITU-T H.273
_DOLBY_ONLY = 5  # profile


@dataclass(frozen=True)
class Crop:
    """The part of a stored picture that is shown, pixels of it."""

    left: int
    top: int
    width: int
    height: int

    def of(self, image: NDArray[Any]) -> NDArray[Any]:
        """The part of an image ``(height, width, ...)``; a view. What reaches outside is cut off."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class FilmHeader:
    """Display properties that a video track states.

    Attributes:
        orientation: EXIF's number of how to turn it, 1 to 8.
        pixel_aspect: width of a pixel over its height.
        has_edits: whether only a part is to be shown, or it starts late.
        is_fragmented: whether its index lies in pieces over the file.
        crop: what is shown of each picture (the clean aperture); None for all of it.
        transfer: transfer of its colours, a number of ITU-T H.273.
        primaries: likewise.
        matrix: likewise.
        is_dolby_only: whether its colours are Dolby Vision's own (profile 5), which no other decoder makes pictures of.
    """

    orientation: int = UPRIGHT
    pixel_aspect: float = 1.0
    has_edits: bool = False
    is_fragmented: bool = False
    crop: Crop | None = None
    transfer: int = _UNKNOWN
    primaries: int = _UNKNOWN
    matrix: int = _UNKNOWN
    is_dolby_only: bool = False


def dolby_only(name: str) -> str:
    """The message for a film whose colours are Dolby Vision's own."""
    return f"{name} has colours that are not supported (Dolby Vision, profile 5); convert it to BT.709"


def read_film_headers(path: Path) -> list[FilmHeader]:
    """The headers of a file's video tracks, in their order; none for a file that is not an MP4 or MOV, or has no header.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if not is_mp4(file.read(8)):
            return []
        movie = next((box for box in boxes(file, 0, path.stat().st_size, TOP) if box.kind == b"moov"), None)
        if movie is None:
            return []
        fragmented = _find(file, movie, b"mvex") is not None
        try:
            return [
                header
                for box in boxes(file, movie.start, movie.end)
                if box.kind == b"trak" and (header := _track(file, box, fragmented=fragmented)) is not None
            ]
        except (struct.error, IndexError):
            return []


def _track(file: BinaryIO, track: Mp4Box, *, fragmented: bool) -> FilmHeader | None:
    """A track's header; None when it is not a video."""
    handler = _find(file, track, b"mdia", b"hdlr")
    if handler is None or _read(file, handler)[8:12] != b"vide":
        return None
    head = _find(file, track, b"tkhd")
    matrix = UPRIGHT
    if head is not None:
        content = _read(file, head)
        matrix = orientation_of_matrix(struct.unpack_from(">9i", content, 52 if content[0] == 1 else 40))
    edits = _find(file, track, b"edts", b"elst")
    return FilmHeader(
        matrix,
        has_edits=edits is not None and _cuts(_read(file, edits)),
        is_fragmented=fragmented,
        **_sample_entry(file, track),
    )


def _sample_entry(file: BinaryIO, track: Mp4Box) -> dict[str, Any]:
    """Read the first description of the track's pictures."""
    said: dict[str, Any] = {}
    entries = _find(file, track, b"mdia", b"minf", b"stbl", b"stsd")
    entry = None if entries is None else next(boxes(file, entries.start + 8, entries.end), None)
    if entry is None:
        return said
    size = struct.unpack_from(">HH", _read(file, entry), _ENTRY_SIZE)
    for box in boxes(file, entry.start + _VISUAL_ENTRY, entry.end):
        content = _read(file, box)
        if box.kind == b"pasp":
            across, down = struct.unpack_from(">II", content)
            said["pixel_aspect"] = across / down if across and down else 1.0
        elif box.kind == b"clap":
            said["crop"] = _clean_aperture(struct.unpack_from(">II II iI iI", content), size)
        elif box.kind in (b"dvcC", b"dvvC"):
            # Dolby Vision Streams Within the ISO Base Media File Format, section 3.2: profile, and what else can show it.
            said["is_dolby_only"] = content[2] >> 1 == _DOLBY_ONLY and content[4] >> 4 == 0
        elif box.kind == b"colr" and content[:4] in (b"nclx", b"nclc"):
            said["primaries"], said["transfer"], said["matrix"] = struct.unpack_from(">HHH", content, 4)
    return said


def _clean_aperture(numbers: Sequence[int], size: tuple[int, int]) -> Crop | None:
    """A clean aperture (ISO/IEC 14496-12, section 12.1.4) in whole pixels; None where it shows all, or makes no sense."""
    if 0 in numbers[1::2]:
        return None
    width, height, right, down = (Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))
    left, top = (size[0] - width) / 2 + right, (size[1] - height) / 2 + down
    crop = Crop(round(left), round(top), round(width), round(height))
    inside = crop.left >= 0 and crop.top >= 0 and crop.width > 0 and crop.height > 0
    inside &= crop.left + crop.width <= size[0] and crop.top + crop.height <= size[1]
    return crop if inside and (crop.width, crop.height) != size else None


def _cuts(edits: bytes) -> bool:
    """Tell whether an edit list does more than let the first frame begin at 0, as writers of B-frames do."""
    wide = edits[0] == 1
    (count,) = struct.unpack_from(">I", edits, 4)
    if count != 1:
        return bool(count > 1)
    media_time, rate = struct.unpack_from(">qi" if wide else ">ii", edits, 16 if wide else 12)
    # Two or three frames of reordering are less than this many ticks in every usual time base. Ours.
    return bool(rate != 0x10000 or not 0 <= media_time <= 6000)


def _find(file: BinaryIO, within: Mp4Box, *kinds: bytes) -> Mp4Box | None:
    """The first box of a kind in a box, of the next kind in that one, and so on."""
    for kind in kinds:
        found = next((box for box in boxes(file, within.start, within.end) if box.kind == kind), None)
        if found is None:
            return None
        within = found
    return within


def _read(file: BinaryIO, box: Mp4Box) -> bytes:
    file.seek(box.start)
    return file.read(min(box.end - box.start, 1 << 20))
