"""Calibration crops from picture files and videos: ready crops as they are, all else through landmarks and alignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.progress import progress_bar
from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment
from edgeau.sources.kinds import PICTURES, VIDEOS
from edgeau.sources.picture_file import read_picture
from edgeau.sources.video import open_video
from edgeau_calibration.data.crops import evenly
from edgeau_calibration.data.faces import FaceCropper

__all__ = ["crops_of_media", "media_in"]


def media_in(path: Path) -> list[Path]:
    """The pictures and videos of a folder, searched through, or a file that is one."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if file.suffix.lower() in PICTURES | VIDEOS and file.is_file()]


def crops_of_media(
    paths: Sequence[Path], alignment: Alignment, wanted: int
) -> tuple[list[NDArray[np.uint8]], list[str], list[int], dict[int, InputError]]:
    """Up to ``wanted`` crops of pictures, evenly spread over the files, then of videos.

    Returns:
        The crops, uint8 ``(height, width, 3)`` RGB; one line for whatever gave none; the place among the pictures of each crop of
        one; and what is wrong with pictures that cannot be read, by their place.
    """
    films = [path for path in paths if path.suffix.lower() in VIDEOS]
    with FaceCropper(alignment) as cropper:
        pictures = [path for path in paths if path.suffix.lower() in PICTURES]
        crops, notes, places, unreadable = _of_pictures(pictures, cropper, wanted)
        for done, film in enumerate(films):
            if len(crops) == wanted:
                break
            each = -(-(wanted - len(crops)) // (len(films) - done))
            more, problems = _of_video(film, cropper, each)
            crops += more
            notes += problems
    return crops, notes, places, unreadable


def _of_pictures(
    paths: Sequence[Path], cropper: FaceCropper, wanted: int
) -> tuple[list[NDArray[np.uint8]], list[str], list[int], dict[int, InputError]]:
    """Take crops of pictures; where a file gives none, another one is taken."""
    crops: list[NDArray[np.uint8]] = []
    notes: list[str] = []
    places: list[int] = []
    unreadable: dict[int, InputError] = {}
    with progress_bar(total=min(wanted, len(paths)), desc="calibration crops", unit="picture") as bar:
        for place in _spread(len(paths), wanted):
            if len(crops) == wanted:
                break
            try:
                found = cropper.crop_of_picture(read_picture(paths[place]))
            except InputError as error:
                unreadable[place] = error
                continue
            if found is None:
                notes.append(f"{str(paths[place])!r} shows no face")
                continue
            crops.append(found[0])
            places.append(place)
            bar.update()
    return crops, notes, places, unreadable


def _spread(count: int, wanted: int) -> Iterator[int]:
    """All of ``count`` places, an evenly spaced choice of ``wanted`` first."""
    first: list[int] = evenly(count, wanted).tolist()
    yield from first
    yield from sorted(set(range(count)) - set(first))


# Frames between two that are looked at, where the container does not say how many it has.
_STRIDE = 10


def _of_video(path: Path, cropper: FaceCropper, wanted: int) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """The largest face of up to ``wanted`` evenly spaced frames.

    Returns:
        The crops, uint8 ``(size, size, 3)`` RGB, and one line for what was wrong with the video.
    """
    crops: list[NDArray[np.uint8]] = []
    notes: list[str] = []
    looked = 0
    try:
        with open_video(path) as video:
            chosen = set(evenly(video.length or wanted * _STRIDE, wanted).tolist())
            for frame in progress_bar(video, total=video.length, desc=f"faces of {path.name}", unit="frame"):
                if frame.index not in chosen:
                    continue
                looked += 1
                crop = cropper.crop(frame.image)
                if crop is not None:
                    crops.append(crop)
    except InputError as error:
        notes.append(str(error))
    if looked > len(crops):
        notes.append(f"{looked - len(crops)} of {looked} frames of {str(path)!r} show no face")
    return crops, notes
