"""Text lists as ME-GraphAU and the code around it read them.

``<name>_{train,test}_img_path_fold<k>.txt`` holds one path per line and ``<name>_{train,test}_label_fold<k>.txt`` its labels,
whole numbers divided by spaces, 9 where an AU was not coded. Frames of a video get the path that they have once extracted,
``<clip>/<frame>.png``, counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edgeau._system.atomic_file import write_whole
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.folds.fold import Fold

__all__ = ["write_me_graphau_lists"]

_UNKNOWN = 9


def write_me_graphau_lists(frames: LabelledFrames, folds: Iterable[Fold], folder: Path) -> list[Path]:
    """Writes four lists per fold, each whole or not at all.

    Returns:
        The files, in the order written.

    Raises:
        OutputError: the folder cannot be written to.
    """
    codes = np.where(frames.mask > 0, frames.occurrence, _UNKNOWN)
    written = []
    for fold in folds:
        for side, rows in (("train", fold.train), ("test", fold.test)):
            paths = folder / f"{frames.name}_{side}_img_path_fold{fold.name}.txt"
            labels = folder / f"{frames.name}_{side}_label_fold{fold.name}.txt"
            _write(paths, (_path(frames, row) for row in rows))
            _write(labels, (" ".join(map(str, code)) for code in codes[rows].tolist()))
            written += [paths, labels]
    return written


def _path(frames: LabelledFrames, row: np.int64) -> str:
    if frames.video_frame is None:
        return frames.pictures[row]
    return f"{frames.clip_names[frames.clip[row]]}/{frames.video_frame[row]}.png"


def _write(path: Path, lines: Iterable[str]) -> None:
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())
