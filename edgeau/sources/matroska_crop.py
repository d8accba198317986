"""The part of each picture that a Matroska or WebM file wants shown: decoders hand it out whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from edgeau.sources.film_header import Crop

__all__ = ["read_matroska_crops"]

# Elements of RFC 9559, section 5.1.4.
_EBML, _SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_TYPE, _WIDTH, _HEIGHT = 0x83, 0xB0, 0xBA
_BOTTOM, _TOP, _LEFT, _RIGHT = 0x54AA, 0x54BB, 0x54CC, 0x54DD
_IS_VIDEO = 1
_CLUSTER = 0x1F43B675
_LONGEST_NUMBER = 8
_MOST_ELEMENTS = 10_000  # in one: what is looked for comes before the first cluster


class _Element(NamedTuple):
    """An element: its number, and where its content starts and ends."""

    identity: int
    start: int
    end: int


def read_matroska_crops(path: Path) -> list[Crop | None]:
    """Read what is shown of each video track, in their order; None for all of it. Empty for a file of another kind.

    Raises:
        OSError: the file cannot be read.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != _EBML.to_bytes(4, "big"):
            return []
        for top in _elements(file, 0, length):
            if top.identity == _SEGMENT:
                for part in _elements(file, top.start, top.end):
                    if part.identity == _TRACKS:
                        return [crop for crop, is_video in _tracks(file, part) if is_video]
                    if part.identity == _CLUSTER:
                        break
    return []


def _tracks(file: BinaryIO, tracks: _Element) -> Iterator[tuple[Crop | None, bool]]:
    for track in _elements(file, tracks.start, tracks.end):
        if track.identity != _TRACK:
            continue
        is_video, numbers = False, dict[int, int]()
        for part in _elements(file, track.start, track.end):
            if part.identity == _TYPE:
                is_video = _number(file, part) == _IS_VIDEO
            elif part.identity == _VIDEO:
                inner = (_WIDTH, _HEIGHT, _BOTTOM, _TOP, _LEFT, _RIGHT)
                numbers = {
                    element.identity: _number(file, element)
                    for element in _elements(file, part.start, part.end)
                    if element.identity in inner
                }
        yield _crop(numbers), is_video


def _crop(numbers: dict[int, int]) -> Crop | None:
    left, top, right, bottom = (numbers.get(side, 0) for side in (_LEFT, _TOP, _RIGHT, _BOTTOM))
    width, height = numbers.get(_WIDTH, 0) - left - right, numbers.get(_HEIGHT, 0) - top - bottom
    if not (left or top or right or bottom) or width <= 0 or height <= 0:
        return None
    return Crop(left, top, width, height)


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[_Element]:
    """The elements that lie between two places (RFC 8794, section 5); one of unknown size reaches to the end."""
    place = start
    for _ in range(_MOST_ELEMENTS):
        if place >= end:
            return
        file.seek(place)
        head = file.read(12)
        wide = 9 - head[0].bit_length() if head else 9
        if wide > 4 or len(head) <= wide:
            return
        sized = 9 - head[wide].bit_length()
        if sized > 8 or len(head) < wide + sized:
            return
        size = int.from_bytes(head[wide : wide + sized], "big") - (1 << 7 * sized)
        content = place + wide + sized
        unknown = size == (1 << 7 * sized) - 1
        place = end if unknown else content + size
        yield _Element(int.from_bytes(head[:wide], "big"), content, min(place, end))


def _number(file: BinaryIO, element: _Element) -> int:
    file.seek(element.start)
    return int.from_bytes(file.read(min(element.end - element.start, _LONGEST_NUMBER)), "big")
