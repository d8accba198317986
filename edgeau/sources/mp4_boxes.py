"""The boxes of MP4 and MOV files (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

__all__ = ["INSIDE", "TOP", "Mp4Box", "boxes", "is_mp4"]

INSIDE, TOP = 10_000, 1_000_000
"""Most boxes in another one, and in a file, where each fragment of a recording has two."""

_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot")


class Mp4Box(NamedTuple):
    """A box: its four letters, and where its content starts and should end, bytes from the start of the file."""

    kind: bytes
    start: int
    end: int


def is_mp4(head: bytes) -> bool:
    """Tell whether a file is MP4 or MOV, by its first eight bytes."""
    return head[4:8] in _FIRST


def boxes(file: BinaryIO, start: int, end: int, most: int = INSIDE) -> Iterator[Mp4Box]:
    """The boxes that lie one behind the other between two places of a file.

    The last one may say that it ends behind ``end``, which is what a file that was cut looks like; nothing comes after it.

    Args:
        file: open for reading.
        start: where the first box begins.
        end: where the surrounding box, or the file, ends.
        most: boxes that are looked at: a file may be made of nothing but their heads.
    """
    place = start
    for _ in range(most):
        if place + 8 > end:
            return
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        size, kind = struct.unpack_from(">I4s", head)
        content = place + 8
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
            content = place + 16
        box_end = end if size == 0 else place + size
        if box_end < content:  # no box is smaller than its own head: these bytes are something else
            return
        yield Mp4Box(kind, content, box_end)
        place = box_end
