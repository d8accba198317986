"""The pixels behind labelled frames, in their order: picture files, and videos decoded from their start, as they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources.picture_file import read_picture
from edgeau.sources.video import open_video
from edgeau_training.datasets.labelled_frames import LabelledFrames

__all__ = ["read_frames"]


def read_frames(
    frames: LabelledFrames, rows: NDArray[np.int64], unreadable: dict[int, str]
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Every row that can be read, with its frame, uint8 ``(H, W, 3)`` BGR.

    Args:
        frames: the table.
        rows: to read; rows of one video ascending by their frame.
        unreadable: takes in, by row, one line for each that cannot be read: its picture or video is damaged, or the video ends
            before it.

    Raises:
        DependencyError: only PyAV shows the video as players do, and it is not installed.
    """
    if frames.video_frame is None:
        for row in rows.tolist():
            try:
                picture = read_picture(frames.path(row))
            except InputError as error:
                unreadable[row] = frames.unreadable(row, error)
                continue
            yield row, picture
        return
    for _, of_video in groupby(rows.tolist(), key=lambda row: frames.pictures[row]):
        chosen = list(of_video)
        done = 0
        try:
            for image in _decode(frames.path(chosen[0]), frames.video_frame[chosen]):
                yield chosen[done], image
                done += 1
        except InputError as error:
            unreadable |= {row: frames.unreadable(row, error) for row in chosen[done:]}


def _decode(path: Path, wanted: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    """The wanted frames, ascending. Frames are counted while decoding: seeking by number is not exact in every file."""
    left = wanted.tolist()
    seen = 0
    with open_video(path) as source:
        try:
            for frame in source:
                seen += 1
                if source.is_damaged:
                    break
                while left and left[0] == frame.index:
                    yield frame.image
                    del left[0]
                if not left:
                    return
        except InputError as error:
            raise _short(path, seen, wanted) from error
    raise _short(path, seen, wanted)


def _short(path: Path, seen: int, wanted: NDArray[np.int64]) -> InputError:
    return InputError(
        f"{path} ends or is damaged after frame {seen}, but its labels go on to frame {int(wanted[-1]) + 1}"
    )
