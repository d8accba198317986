"""Calibration crops from videos: evenly spaced frames through the runtime's landmarks and alignment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edgeau.errors import InputError
from edgeau.sources.video import VideoSource
from edgeau_calibration.data.crops import evenly
from edgeau_calibration.data.faces import FaceCropper

__all__ = ["crops_of_video"]

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
        with VideoSource(path) as video:
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
