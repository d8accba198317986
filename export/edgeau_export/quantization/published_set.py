"""A published set as what an export calibrates on: a table of some of its faces, with nobody in two of its splits.

``bp4d:DIR`` has 146,847 frames, of which an export needs a few hundred for ranges and some thousands for thresholds and F1.
They are written for the time of the export only: no face of a licensed set is kept, or travels in a bundle.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.scratch_folder import scratch_folder
from edgeau.errors import CalibrationError, OutputError, UsageError
from edgeau.faces.alignment import Alignment, ArcFaceTemplate
from edgeau_calibration.data.crops import evenly
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.labelled_data import PublishedSet
from edgeau_export.source_network.network import NetworkDescription
from edgeau_training.datasets import LICENCES, open_data_set, reader_options
from edgeau_training.datasets.frame_reading import read_frames
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.folds.fold import Fold, validation_cut

__all__ = ["calibration_data", "described_with_licence", "published_set"]

# Frames a split at most, evenly over it: more change F1 by less than its own interval.
_MOST = {"train": 1000, "val": 1500, "test": 1500}
_SHARE = 0.25  # of the training side, in whole persons, that thresholds are fitted on


def published_set(given: str | None, options: Sequence[str] = ()) -> PublishedSet | None:
    """The set that ``--calib`` names as ``SET:DIR``; None where it names none.

    Args:
        given: the text; None where nothing was given.
        options: ``name=value`` of the set's reader.

    Raises:
        UsageError: options without a published set, or written otherwise.
    """
    name, colon, folder = (given or "").partition(":")
    if colon and name in LICENCES and folder:
        return PublishedSet(name, Path(folder), reader_options(options))
    if options:
        raise UsageError(
            "--calib-option belongs to a published set, such as --calib bp4d:DIR; "
            + ("there is no --calib" if given is None else f"--calib is {given}")
        )
    return None


@contextmanager
def calibration_data(
    calib: PublishedSet, description: NetworkDescription, progress: ProgressReporter
) -> Iterator[Path]:
    """A table of a published set that ends with the export.

    The fold is the one that the network was trained on, where that is recorded, else the set's first: ranges come from people
    of its training side, thresholds from others of it, F1 from people of its test side.

    Args:
        calib: calibration data of the request.
        description: description of the network.
        progress: says which fold is taken.

    Raises:
        UserError: the data set is incomplete or damaged, or shares no label with the network.
    """
    name = calib.name
    reader = open_data_set(name, calib.root, **{**_options(description, name), **calib.options})
    frames = reader.read()
    shared = [label for label in description.labels if label in frames.labels]
    if not shared:
        raise CalibrationError(
            f"{name} codes none of the network's labels: it codes {', '.join(frames.labels)}, "
            f"the network has {', '.join(description.labels)}"
        )
    fold = _fold(description, name) or reader.folds[0]
    progress.notice(f"{name}: fold {fold}; the splits for ranges, thresholds and F1 share no person")
    splits = _splits(frames, reader.fold(frames, fold))
    with scratch_folder("set") as folder:
        unreadable: dict[int, str] = {}
        table = Path(folder) / f"{name}-fold-{fold}.csv"
        _write_table(table, frames, splits, shared, description.alignment, unreadable)
        progress.left_out((*frames.problems, *unreadable.values()))
        yield table


def described_with_licence(description: NetworkDescription, calib: PublishedSet) -> NetworkDescription:
    """With the terms of the set that thresholds and ranges were fitted on."""
    if LICENCES[calib.name] in description.licences:
        return description
    terms = LICENCES[calib.name].replace("trained on", "ranges and thresholds from", 1)
    return replace(description, licences=(*description.licences, terms))


def _options(description: NetworkDescription, name: str) -> dict[str, Any]:
    """Choose the reader's options, as the training had them."""
    provenance = description.network.provenance
    trainings = () if provenance is None else provenance.trainings
    return next((dict(one.options) for one in trainings if one.set == name), {})


def _fold(description: NetworkDescription, name: str) -> str:
    """The fold that the network was trained on; "" where that is not recorded.

    Raises:
        CalibrationError: it was put together from networks of several.
    """
    provenance = description.network.provenance
    folds = () if provenance is None else provenance.folds(name)
    if len(folds) > 1:
        raise CalibrationError(
            f"the network was put together from networks trained on folds {', '.join(folds)} of {name}, so that nobody of that set is "
            "new to it, and its F1 there would be too high; calibrate with faces of other people"
        )
    return folds[0] if folds else ""


def _splits(frames: LabelledFrames, fold: Fold) -> dict[str, NDArray[np.int64]]:
    cut = validation_cut(frames, fold, _SHARE)
    rows = {"train": cut.train, "val": cut.test, "test": fold.test}
    return {name: all_of[evenly(len(all_of), _MOST[name])] for name, all_of in rows.items()}


def _write_table(
    table: Path,
    frames: LabelledFrames,
    splits: dict[str, NDArray[np.int64]],
    labels: list[str],
    alignment: Alignment,
    unreadable: dict[int, str],
) -> None:
    columns = [frames.labels.index(label) for label in labels]
    codes = np.where(frames.mask > 0, frames.occurrence, -1)
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("picture", "person", "clip", "split", *labels))
        for split, rows in splits.items():
            for row, picture in _pictures(frames, rows, table.parent, alignment, unreadable):
                person, clip = frames.group_names[frames.group[row]], frames.clip_names[frames.clip[row]]
                writer.writerow((picture, person, clip, split, *codes[row, columns].tolist()))


def _pictures(
    frames: LabelledFrames,
    rows: NDArray[np.int64],
    folder: Path,
    alignment: Alignment,
    unreadable: dict[int, str],
) -> Iterator[tuple[int, Path]]:
    """Every row with its picture: where it stands, or in ``folder``, as frames of a video and crops of the network's own cut are."""
    cut = frames.aligned and isinstance(alignment, ArcFaceTemplate)
    if frames.video_frame is None and not cut:
        yield from ((row, frames.path(row).resolve()) for row in rows.tolist())
        return
    for row, frame in read_frames(frames, np.sort(rows), unreadable):
        path = folder / f"{row}.png"
        shown = cv2.resize(frame, alignment.shape[::-1], interpolation=cv2.INTER_AREA) if cut else frame
        if not cv2.imwrite(str(path), shown):
            raise OutputError(f"{path} cannot be written; is the disk of temporary files full?")
        yield row, path
