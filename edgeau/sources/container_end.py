"""Detection of a video file that is shorter than it says, as a copy or download that broke off leaves it.

Decoders take such a file for one that ends there, without an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from edgeau.sources.mp4_boxes import TOP, boxes, is_mp4

__all__ = ["is_cut"]

_MOST_PARTS = 10_000  # a RIFF part has a gigabyte, a Matroska file two elements
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def is_cut(path: Path) -> bool:
    """Tell whether the sizes that stand in an MP4, MOV, Matroska, WebM or AVI file go beyond its end.

    False for other containers, which state no size, for live recordings of unknown size, and for a fragmented MP4 that was
    cut exactly between two fragments.

    Raises:
        OSError: the file cannot be read.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if is_mp4(head):
            end = max((box.end for box in boxes(file, 0, length, TOP)), default=length)
            return end > length
        if head[:4] == _EBML:
            return _matroska_end(file, length) > length
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            return _riff_end(file, length) > length
    return False


def _matroska_end(file: BinaryIO, length: int) -> int:
    """Read where the segment says it ends (RFC 9559, section 5.1; sizes as in RFC 8794, section 6)."""
    place = 0
    for _ in range(_MOST_PARTS):
        if place >= length:
            break
        file.seek(place)
        head = file.read(12)
        identity = head[:4]
        if len(head) < 12 or identity not in (_EBML, _SEGMENT):
            return place
        width = 9 - head[4].bit_length()
        if width > 8:
            return place
        value = int.from_bytes(head[4 : 4 + width], "big") - (1 << 7 * width)
        if value == (1 << 7 * width) - 1:  # all ones: unknown, a live recording
            return place
        place += 4 + width + value
        if identity == _SEGMENT:
            return place
    return place


def _riff_end(file: BinaryIO, length: int) -> int:
    """Read where the last of the file's RIFF parts (more than one above a gigabyte) says it ends."""
    place = 0
    for _ in range(_MOST_PARTS):
        if place + 8 > length:
            break
        file.seek(place)
        head = file.read(8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or size == 0:
            break
        place += 8 + size
    return place
