"""Aligned crops of labelled frames, made once and kept.

A data set is prepared into a folder of JPEG crops, one a frame, named like the frames; what is there is not made again, so
an interrupted preparation goes on where it stopped, and several processes may prepare parts of one data set into the same
folder. ``preparation.json`` says how the crops were made, ``no-face.txt`` in which frames no face was found.
"""

from __future__ import annotations

import json
import warnings
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.json_text import parse_json
from edgeau._system.progress import progress_bar
from edgeau.errors import InputError, OutputError, UsageError
from edgeau.faces.alignment import WholePicture
from edgeau.faces.landmarks import Landmarker, largest_face, open_landmarker
from edgeau_training.datasets.aligners import CANVAS, Aligner
from edgeau_training.datasets.frame_reading import read_frames
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.datasets.point_table import PointTable

__all__ = ["MANNER", "WITHOUT_FACE", "NoFaceWarning", "prepare", "prepared"]

MANNER = "preparation.json"  # says how the crops of its folder were made

WITHOUT_FACE = ("drop", "whole")  # leave the frame out, or shrink the whole picture to the crop's size
_QUALITY = 95
_FACES = 4  # the largest of so many is taken: the first one found may be somebody in the background
_FORMAT = 1


class NoFaceWarning(UserWarning):
    """Frames were left out because no face was found in them."""


def prepare(
    frames: LabelledFrames,
    folder: Path,
    aligner: Aligner = CANVAS,
    without_face: str = "drop",
    points: PointTable | None = None,
) -> LabelledFrames:
    """The same frames as aligned crops in ``folder``, made where they are not there yet.

    Args:
        frames: as a data set reader gave them.
        folder: folder of the crops; made when missing.
        aligner: brings faces into crops; a :class:`~edgeau.faces.alignment.WholePicture` looks for none.
        without_face: ``drop`` frames in which no face is found, or take the ``whole`` picture for a crop.
        points: five points of each picture that shows a face, from another detector; None looks for faces.

    Returns:
        The table over the crops; frames without a face are left out unless their whole picture was taken, and damaged ones are
        named among its problems.

    Raises:
        InputError: no frame shows a face, the folder's crops were made otherwise, or points are given for frames of videos.
        OutputError: the folder cannot be written to.
        DependencyError: no face landmark package is installed.
    """
    if frames.aligned:
        return frames
    if without_face not in WITHOUT_FACE:
        raise UsageError(f"without_face={without_face!r} is not known; known: {', '.join(WITHOUT_FACE)}")
    if points is not None and frames.video_frame is not None:
        raise InputError(f"{frames.name} has videos; a table of points is for pictures")
    names = _crop_names(frames)
    unreadable: dict[int, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manner = {"format": _FORMAT, "alignment": aligner.to_dict(), "without_face": without_face}
        _check_manner(folder, manner | ({} if points is None else {"points": points.digest}))
        faceless = _read_faceless(folder)
        todo = [
            row for row, name in enumerate(names) if name not in faceless and not (folder / name).is_file()
        ]
        _make(
            frames,
            np.array(todo, np.int64),
            names,
            folder,
            aligner,
            unreadable,
            points,
            whole=without_face == "whole",
        )
    except OSError as error:
        raise OutputError(f"crops cannot be written to {folder}: {error}") from error
    return _over_crops(frames, names, folder, tuple(unreadable.values()))


def prepared(frames: LabelledFrames, folder: Path) -> LabelledFrames:
    """The same frames as the aligned crops that are in ``folder`` already; no picture is opened.

    Raises:
        InputError: none of them is there.
    """
    return frames if frames.aligned else _over_crops(frames, _crop_names(frames), folder, ())


def _make(
    frames: LabelledFrames,
    rows: NDArray[np.int64],
    names: list[str],
    folder: Path,
    aligner: Aligner,
    unreadable: dict[int, str],
    points: PointTable | None,
    *,
    whole: bool,
) -> None:
    if not len(rows):
        return
    if points is not None or isinstance(aligner, WholePicture):
        opened: AbstractContextManager[Landmarker | None] = nullcontext()
    else:
        opened = open_landmarker(static=True, max_faces=_FACES)
    with (
        opened as landmarker,
        (folder / "no-face.txt").open("a", encoding="utf-8") as faceless,
        progress_bar(total=len(rows), desc=f"crops of {frames.name}", unit="frame") as bar,
    ):
        for row, frame in read_frames(frames, rows, unreadable):
            if points is None:
                crop = _crop(frame, landmarker, aligner)
            else:
                given = points.of(frames.path(row))
                crop = None if given is None else aligner.crop(frame, given)
            if crop is None and whole:
                crop = cv2.resize(frame, (aligner.size, aligner.size), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            if crop is None:
                faceless.write(f"{names[row]}\n")
                faceless.flush()
            else:
                _write(folder / names[row], crop)
            bar.update()


def _crop(
    frame: NDArray[np.uint8], landmarker: Landmarker | None, aligner: Aligner
) -> NDArray[np.uint8] | None:
    """The crop of the largest face, None without one; without a landmarker what needs no face."""
    if landmarker is None:
        return aligner.crop(frame, np.empty((0, 3)))
    faces = landmarker.detect(frame)
    if not faces:
        return None
    return aligner.crop(frame, largest_face(faces))


def _write(path: Path, crop: NDArray[np.uint8]) -> None:
    _, data = cv2.imencode(".jpg", crop, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    write_whole(path, data.tobytes())


def _crop_names(frames: LabelledFrames) -> list[str]:
    """Name each row's crop, relative to the folder.

    Raises:
        InputError: two pictures differ in their suffix only, and would share a crop.
    """
    paths = [_inside(picture) for picture in frames.pictures]
    if frames.video_frame is None:
        names = [f"{path}.jpg" for path in paths]
    else:
        names = [
            f"{path}/{frame:06d}.jpg" for path, frame in zip(paths, frames.video_frame.tolist(), strict=True)
        ]
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if first.setdefault(name, row) != row and frames.pictures[first[name]] != frames.pictures[row]:
            raise InputError(
                f"{frames.pictures[first[name]]} and {frames.pictures[row]} in {frames.root} would both become the crop {name}, "
                "since they differ in their suffix or their way to the folder only; rename one"
            )
    return names


def _inside(picture: str) -> PurePosixPath:
    """A picture's path without its suffix, as one inside the crops' folder, wherever the picture is.

    Without that the crop of ``/faces/a.jpg`` or ``../faces/a.jpg`` would be the picture itself.
    """
    path = PurePath(picture)
    parts = path.parts[1:] if path.anchor else path.parts
    return PurePosixPath(*("up" if part == ".." else part for part in parts)).with_suffix("")


def _check_manner(folder: Path, manner: dict[str, Any]) -> None:
    """One folder holds crops of one manner only."""
    path = folder / MANNER
    if not path.exists():
        write_whole(path, (json.dumps(manner, indent=2) + "\n").encode())
        return
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"{path} is damaged ({error}); remove it if {folder} holds crops of this manner"
        ) from error
    if found != manner:
        raise InputError(
            f"the crops in {folder} were made with other settings ({json.dumps(found)}); give another folder"
        )


def _read_faceless(folder: Path) -> set[str]:
    path = folder / "no-face.txt"
    return set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()


def _over_crops(
    frames: LabelledFrames, names: list[str], folder: Path, unreadable: tuple[str, ...]
) -> LabelledFrames:
    present = np.array([(folder / name).is_file() for name in names], bool)
    if not present.any():
        damaged = f" ({len(unreadable)} cannot be read: {unreadable[0]})" if unreadable else ""
        raise InputError(
            f"no face was found in any of the {len(names)} frames of {frames.name} in {frames.root}{damaged}"
        )
    left = int((~present).sum()) - len(unreadable)
    if left:
        warnings.warn(
            f"{frames.name}: no face was found in {left} of {len(names)} frames, which were left out ({folder}/no-face.txt)",
            NoFaceWarning,
            stacklevel=3,
        )
    crops = replace(frames, root=folder, pictures=tuple(names), video_frame=None, aligned=True)
    crops = replace(crops, problems=(*frames.problems, *unreadable))
    return crops.select(np.flatnonzero(present))
