"""The pixels behind labelled frames, in their order: picture files, and videos decoded from their start."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources.picture_file import read_picture
from edgeau_training.datasets.labelled_frames import LabelledFrames

__all__ = ["read_frames"]


def read_frames(frames: LabelledFrames, rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Every row with its frame, uint8 ``(H, W, 3)`` BGR.

    Args:
        frames: the table.
        rows: to read; rows of one video ascending by their frame.

    Raises:
        InputError: a picture or video cannot be read, or a video ends before a frame that has a label.
    """
    if frames.video_frame is None:
        for row in rows.tolist():
            yield row, read_picture(frames.path(row))
        return
    for _, of_video in groupby(rows.tolist(), key=lambda row: frames.pictures[row]):
        chosen = list(of_video)
        yield from zip(chosen, _decode(frames.path(chosen[0]), frames.video_frame[chosen]), strict=True)


def _decode(path: Path, wanted: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    """The wanted frames, ascending. Frames are counted while decoding: seeking by number is not exact in every file."""
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    capture = cv2.VideoCapture(str(path))
    try:
        place = -1
        for frame in wanted.tolist():
            while place < frame:
                if not capture.grab():
                    raise InputError(
                        f"{path} ends or is damaged after frame {place + 1}, but its labels go on to "
                        f"frame {int(wanted[-1]) + 1}"
                    )
                place += 1
            ok, image = capture.retrieve()
            if not ok:
                raise InputError(f"{path}: frame {frame + 1} cannot be decoded")
            yield image  # type: ignore[misc]
    finally:
        capture.release()
