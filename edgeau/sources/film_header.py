"""How an MP4 or MOV file wants its video shown, read from its header, for decoders that do not tell."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edgeau.sources.mp4_boxes import Mp4Box, boxes, is_mp4
from edgeau.sources.orientation import UPRIGHT, orientation_of_matrix

__all__ = ["FilmHeader", "read_film_header"]

# Bytes of a visual sample entry before its own boxes (ISO/IEC 14496-12, section 12.1.3).
_VISUAL_ENTRY = 78


@dataclass(frozen=True)
class FilmHeader:
    """What a video track says of itself.

    Attributes:
        orientation: EXIF's number of how to turn it, 1 to 8.
        pixel_aspect: width of a pixel over its height.
        has_edits: whether only a part is to be shown, or it starts late.
        is_fragmented: whether its index lies in pieces over the file.
    """

    orientation: int = UPRIGHT
    pixel_aspect: float = 1.0
    has_edits: bool = False
    is_fragmented: bool = False


def read_film_header(path: Path) -> FilmHeader | None:
    """The header of a file's first video track; None for a file that is no MP4 or MOV, or has no header or video.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if not is_mp4(file.read(8)):
            return None
        movie = _find(file, Mp4Box(b"", 0, path.stat().st_size), b"moov")
        if movie is None:
            return None
        try:
            tracks = [_track(file, box) for box in boxes(file, movie.start, movie.end) if box.kind == b"trak"]
        except struct.error:
            return None
        video = next((track for track in tracks if track is not None), None)
        if video is None:
            return None
        fragmented = _find(file, movie, b"mvex") is not None
    return FilmHeader(video.orientation, video.pixel_aspect, video.has_edits, fragmented)


def _track(file: BinaryIO, track: Mp4Box) -> FilmHeader | None:
    """A track's header; None when it is no video."""
    handler = _find(file, track, b"mdia", b"hdlr")
    if handler is None or _read(file, handler)[8:12] != b"vide":
        return None
    head = _find(file, track, b"tkhd")
    matrix = UPRIGHT
    if head is not None:
        content = _read(file, head)
        matrix = orientation_of_matrix(struct.unpack_from(">9i", content, 52 if content[0] == 1 else 40))
    edits = _find(file, track, b"edts", b"elst")
    return FilmHeader(matrix, _pixel_aspect(file, track), edits is not None and _cuts(_read(file, edits)))


def _cuts(edits: bytes) -> bool:
    """Whether an edit list does more than let the first frame begin at 0, as writers of B-frames do."""
    wide = edits[0] == 1
    (count,) = struct.unpack_from(">I", edits, 4)
    if count != 1:
        return bool(count > 1)
    media_time, rate = struct.unpack_from(">qi" if wide else ">ii", edits, 16 if wide else 12)
    # Two or three frames of reordering are less than this many ticks in every usual time base. Ours.
    return bool(rate != 0x10000 or not 0 <= media_time <= 6000)


def _pixel_aspect(file: BinaryIO, track: Mp4Box) -> float:
    entries = _find(file, track, b"mdia", b"minf", b"stbl", b"stsd")
    if entries is None:
        return 1.0
    for entry in boxes(file, entries.start + 8, entries.end):
        for box in boxes(file, entry.start + _VISUAL_ENTRY, entry.end):
            if box.kind == b"pasp":
                across, down = struct.unpack(">II", _read(file, box)[:8])
                return across / down if across and down else 1.0
    return 1.0


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
