"""Calibration crops from picture files and videos: ready crops as they are, all else through landmarks and alignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edgeau.errors import InputError
from edgeau.sources.picture_file import read_picture
from edgeau.sources.video import open_video
from edgeau_calibration.data.crops import central_crop, evenly, is_aligned
from edgeau_calibration.data.faces import FaceCropper

__all__ = ["crops_of_pictures", "crops_of_video"]


def crops_of_pictures(
    paths: Sequence[Path], cropper: FaceCropper, wanted: int
) -> tuple[list[NDArray[np.uint8]], list[str], list[int], dict[int, InputError]]:
    """Up to ``wanted`` crops, evenly spread over the files; where one gives none, another one is taken.

    A square picture of exactly the crop's or the canvas's side is a ready crop; any other goes through the runtime's
    landmarks and alignment, and its largest face is taken.

    Returns:
        The crops, uint8 ``(size, size, 3)`` RGB; one line for every picture without a face; the place in ``paths`` of each crop;
        and what is wrong with those that cannot be read, by their place.
    """
    crops: list[NDArray[np.uint8]] = []
    notes: list[str] = []
    places: list[int] = []
    unreadable: dict[int, InputError] = {}
    with tqdm(total=min(wanted, len(paths)), desc="calibration crops", unit="picture", disable=None) as bar:
        for place in _spread(len(paths), wanted):
            if len(crops) == wanted:
                break
            try:
                picture = read_picture(paths[place])
            except InputError as error:
                unreadable[place] = error
                continue
            crop = _crop_of(picture, cropper)
            if crop is None:
                notes.append(f"{str(paths[place])!r} shows no face")
                continue
            crops.append(crop)
            places.append(place)
            bar.update()
    return crops, notes, places, unreadable


def _crop_of(picture: NDArray[np.uint8], cropper: FaceCropper) -> NDArray[np.uint8] | None:
    height, width = picture.shape[:2]
    if is_aligned(height, width, cropper.alignment):
        return central_crop(picture, cropper.alignment.shape)[..., ::-1]
    return cropper.crop(picture)


def _spread(count: int, wanted: int) -> Iterator[int]:
    """All of ``count`` places, an evenly spaced choice of ``wanted`` first."""
    first: list[int] = evenly(count, wanted).tolist()
    yield from first
    yield from sorted(set(range(count)) - set(first))


# Frames between two that are looked at, where the container does not say how many it has.
_STRIDE = 10


def crops_of_video(
    path: Path, cropper: FaceCropper, wanted: int
) -> tuple[list[NDArray[np.uint8]], list[str]]:
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
            for frame in tqdm(
                video, total=video.length, desc=f"faces of {path.name}", unit="frame", disable=None
            ):
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
