"""The text file that the ABAW challenges take: the organisers' sample with 12 decisions behind every listed frame.

A frame without a crop gets the decisions of the nearest earlier frame of its video that has one, else of the next (ours).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau.errors import InputError
from edgeau_training.datasets.aff_wild2 import LABELS
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered
from edgeau_training.datasets.number_rows import read_lines

__all__ = ["listed_crops", "write_aff_wild2_submission"]


def listed_crops(sample: Path, folder: Path) -> LabelledFrames:
    """The crops that a sample file lists and ``folder`` holds, to be predicted; none of their labels is known.

    Args:
        sample: sample file of the organisers, such as ``CVPR_5th_ABAW_AU_test_set_sample.txt``.
        folder: ``cropped_aligned``.

    Raises:
        InputError: the sample is missing or damaged, or none of its crops is there.
    """
    names = [name for name in _listed(sample)[1] if (folder / name).is_file()]
    clip, clip_names = numbered([PurePosixPath(name).parent.as_posix() for name in names])
    nothing = np.zeros((len(names), len(LABELS)), np.int8)
    return LabelledFrames(
        f"Aff-Wild2 ({sample.name})",
        folder,
        LABELS,
        tuple(names),
        nothing,
        nothing,
        clip.astype(np.int32),
        clip_names,
        clip.astype(np.int32),
        clip_names,
        aligned=True,
    )


def write_aff_wild2_submission(
    path: Path, sample: Path, pictures: Sequence[str], decisions: NDArray[np.bool_]
) -> int:
    """Writes the sample's header and one row per listed frame, whole or not at all.

    Args:
        path: to write.
        sample: sample file of the organisers.
        pictures: N crops ``video/00001.jpg``.
        decisions: boolean ``(N, 12)``, in ascending AU order.

    Returns:
        How many listed frames had no crop and got a neighbour's decisions.

    Raises:
        InputError: the sample is missing or damaged, or a listed video has no decision at all.
        OutputError: the place cannot be written to.
    """
    header, names = _listed(sample)
    rows = [",".join(map(str, row)) for row in decisions.astype(np.int64).tolist()]
    source = _nearest(sample, names, pictures)
    lines = [header, *(f"{name},{rows[place]}" for name, place in zip(names, source, strict=True))]
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())
    predicted = set(pictures)
    return sum(name not in predicted for name in names)


def _listed(sample: Path) -> tuple[str, list[str]]:
    """The header and the listed frames; rows may end with commas or placeholders."""
    header, *rows = read_lines(sample)
    names = [row.split(",")[0].strip() for row in rows]
    for number, name in enumerate(names, start=2):
        if "/" not in name or not PurePosixPath(name).stem.isdecimal():
            raise InputError(f"{sample}, row {number}: {name!r} is not a frame such as video/00001.jpg")
    return header, names


def _nearest(sample: Path, names: list[str], pictures: Sequence[str]) -> list[int]:
    """For every listed frame, the place of the picture whose decisions it gets."""
    by_video: dict[str, list[tuple[int, int]]] = {}
    for place, picture in enumerate(pictures):
        by_video.setdefault(_video(picture), []).append((_number(picture), place))
    sorted_frames = {video: np.array(sorted(frames)) for video, frames in by_video.items()}
    chosen = []
    for row, name in enumerate(names, start=2):
        frames = sorted_frames.get(_video(name))
        if frames is None:
            raise InputError(
                f"{sample}, row {row}: video {_video(name)} has no decision in any frame; predict its crops first"
            )
        earlier = int(np.searchsorted(frames[:, 0], _number(name), side="right")) - 1
        chosen.append(int(frames[max(earlier, 0), 1]))
    return chosen


def _video(picture: str) -> str:
    return PurePosixPath(picture).parent.as_posix()


def _number(picture: str) -> int:
    return int(PurePosixPath(picture).stem)
