"""Text lists as ME-GraphAU and the code around it read them, to compare with that code on the same frames and folds.

``python -m edgeau_training.datasets.me_graphau_lists bp4d BP4D/ --out lists/`` writes them.

``<name>_{train,test}_img_path_fold<k>.txt`` holds one path per line and ``<name>_{train,test}_label_fold<k>.txt`` its labels,
whole numbers divided by spaces, 9 where an AU was not coded. Frames of a video get the path that they have once extracted,
``<clip>/<frame>.png``, counted from 0.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau_training.datasets import DATA_SETS, open_data_set, reader_options
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.folds.fold import Fold

__all__ = ["main", "write_me_graphau_lists"]

_UNKNOWN = 9


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return run("me_graphau_lists", _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        "python -m edgeau_training.datasets.me_graphau_lists",
        "Write the training and test lists of a data set's folds in the format of ME-GraphAU.",
        "python -m edgeau_training.datasets.me_graphau_lists bp4d BP4D --out lists",
    )
    parser.add_argument("set", choices=sorted(DATA_SETS), help="the data set")
    parser.add_argument("root", type=Path, metavar="DIR", help="its folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the lists go")
    parser.add_argument(
        "--data-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the set's reader, such as subjects=F001,M011",
    )
    parser.add_argument("--json", action="store_true", help="print the names of the files as JSON")
    options: argparse.Namespace = parser.parse_args(argv)
    reader = open_data_set(options.set, options.root, **reader_options(options.data_option))
    frames = reader.read()
    folds = [reader.fold(frames, name) for name in reader.folds]
    files = [str(file) for file in write_me_graphau_lists(frames, folds, options.out)]
    if options.json:
        print_json({"files": files})
    else:
        print("\n".join(files))
    return DONE


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


if __name__ == "__main__":
    sys.exit(main())
