"""A data set that training reads too, such as ``bp4d:DIR``: all of it, or one side of one of its divisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.json_text import parse_json
from edgeau.errors import InputError, RecordError, UsageError
from edgeau.faces.alignment import Alignment, ArcFaceTemplate
from edgeau.faces.landmarks import largest_face, open_landmarker
from edgeau_training.datasets import DATA_SETS, open_data_set
from edgeau_training.datasets.emotionet import LABELS as EMOTIONET
from edgeau_training.datasets.frame_reading import read_frames
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.datasets.picture_folders import pictures_by_name
from edgeau_training.datasets.preparation import MANNER, prepare, prepared
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.predictions import UNKNOWN
from edgeau_training.postprocessing.aff_wild2_submission import listed_crops

__all__ = ["DataSetFaces", "named_set", "open_data_set_faces", "unlabelled_faces"]

_MOST_FACES = 4  # looked for in a picture
_SIDES = ("test", "train")
# How a data set's makers cut the crops that they ship.
_SHIPPED_AS = {"aff-wild2": "arcface-template"}
_PICTURES = {"aff-wild2": "cropped_aligned", "emotionet": "img"}


def named_set(text: str) -> tuple[str, Path] | None:
    """Name and folder of ``SET:DIR``; None where a text is a plain path."""
    name, colon, folder = text.partition(":")
    return (name, Path(folder)) if colon and name in DATA_SETS and folder else None


def open_data_set_faces(
    name: str,
    root: Path,
    options: Mapping[str, Any] | None = None,
    *,
    fold: str | None = None,
    side: str | None = None,
    crops: Path | None = None,
) -> DataSetFaces:
    """A data set, or one side of one of its divisions.

    Args:
        name: a key of :data:`~edgeau_training.datasets.DATA_SETS`.
        root: its folder.
        options: options of its reader.
        fold: one of its divisions; None takes every frame.
        side: side of the division, ``"test"`` or ``"train"``; None takes ``"test"``.
        crops: folder of aligned crops that :func:`~edgeau_training.datasets.preparation.prepare` made; None takes the pictures.

    Raises:
        UserError: the data set or the fold is not known, or a file of it is missing or damaged; the message names it.
    """
    reader = open_data_set(name, root, **(options or {}))
    title = name
    if side is not None and fold is None:
        raise UsageError(
            f"--split {side} is a side of a fold of {name}; say --fold, one of {', '.join(reader.folds)}"
        )
    if fold is not None and fold not in reader.folds:
        raise UsageError(f"{name} has no fold {fold!r}; it has {', '.join(reader.folds)}")
    if side not in (None, *_SIDES):
        raise UsageError(f"a fold of {name} has no side {side!r}; it has {', '.join(_SIDES)}")
    frames = reader.read()
    if fold is not None:
        division = reader.fold(frames, fold)
        frames = frames.select(division.train if side == "train" else division.test)
        title += f", fold {fold}, {side or 'test'}"
    method = _SHIPPED_AS.get(name) if crops is None else None
    if crops is not None:
        manner = _manner_of(crops)
        aligner = _aligner_of(crops, manner)
        # Crops by another detector's points cannot be made here: those that are there are all.
        frames = (
            prepared(frames, crops)
            if "points" in manner
            else prepare(frames, crops, aligner, str(manner.get("without_face", "drop")))
        )
        method = str(aligner.to_dict()["method"])
    return DataSetFaces(title, frames, method)


def unlabelled_faces(
    name: str, root: Path, sample: Path | None, options: Mapping[str, Any] | None = None
) -> DataSetFaces:
    """Pictures of a challenge's test set, of which no label is known.

    Args:
        name: ``"aff-wild2"`` (the crops that ``sample`` lists) or ``"emotionet"`` (every picture of its folder).
        root: folder of the data set.
        sample: the organisers' list of frames.
        options: options of the reader; ``pictures`` names the folder of the pictures.

    Raises:
        UserError: the pictures or the list are missing or damaged, or the data set has no such challenge.
    """
    folder = root / str((options or {}).get("pictures", _PICTURES.get(name, "")))
    if name == "aff-wild2" and sample is not None:
        return DataSetFaces(f"{name}, {sample.name}", listed_crops(sample, folder), _SHIPPED_AS[name])
    if name != "emotionet":
        raise UsageError(
            f"{name} has no test set without labels; emotionet has (--unlabelled), and aff-wild2 (--sample)"
        )
    pictures = tuple(sorted(pictures_by_name(folder).values()))
    nothing = np.zeros((len(pictures), len(EMOTIONET)), np.int8)
    single = np.arange(len(pictures), dtype=np.int32)
    frames = LabelledFrames(
        "EmotioNet",
        folder,
        EMOTIONET,
        pictures,
        nothing,
        nothing,
        single,
        pictures,
        single,
        pictures,
        aligned=False,
    )
    return DataSetFaces(f"{name}, without labels", frames, None)


class DataSetFaces:
    """Frames of a data set, as faces to evaluate on.

    Whole pictures go through the landmarks; of several faces the largest is taken, and a picture without one is left out and
    counted. A damaged picture is left out and named. Aligned crops are taken as they are, see :meth:`fit`.

    Args:
        name: which data and side, for reports.
        frames: the table.
        method: by which aligned crops were cut, as :meth:`~edgeau.faces.alignment.Alignment.to_dict` calls it; None where nobody
            says.
    """

    has_pictures = True

    def __init__(self, name: str, frames: LabelledFrames, method: str | None) -> None:
        self.name, self.labels = name, frames.labels
        self.count, self.digest = len(frames), frames.digest
        self._frames, self._method = frames, method
        self._unreadable: dict[int, str] = {}
        self._direct = frames.aligned
        self._truth = np.where(frames.mask > 0, frames.occurrence, UNKNOWN).astype(np.int8)

    @property
    def problems(self) -> tuple[str, ...]:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        return (*self._frames.problems, *self._unreadable.values())

    @property
    def unreadable(self) -> int:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        return len(self._unreadable)

    def fit(self, alignments: Sequence[Alignment | None]) -> None:
        """Tell whether crops can be shown as they are to networks of these alignments.

        Crops that were cut by another method than a network's are pictures like others: faces are found in them.
        """
        wanted = {str(one.to_dict()["method"]) for one in alignments if one is not None}
        self._direct = self._frames.aligned and (self._method is None or wanted <= {self._method})

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        end = self.count if limit is None else min(limit, self.count)
        faces = self._crops(end) if self._direct else self._found(end)
        while chunk := list(islice(faces, size)):
            rows = np.array([row for row, _, _ in chunk])
            landmarks = [found for _, found, _ in chunk if found is not None]
            yield FaceBatch(
                np.stack(landmarks) if landmarks else None,
                self._truth[rows],
                [picture for _, _, picture in chunk],
                self._frames.group[rows].astype(np.int64),
                names=tuple(self._name(row) for row in rows.tolist()),
            )

    def _name(self, row: int) -> str:
        """The picture, or the frame of a video as it would be called once extracted."""
        frames = self._frames
        if frames.video_frame is None:
            return frames.pictures[row]
        return f"{frames.clip_names[frames.clip[row]]}/{frames.video_frame[row]}.png"

    def _crops(self, end: int) -> Iterator[tuple[int, None, NDArray[np.uint8]]]:
        for row, picture in read_frames(self._frames, np.arange(end), self._unreadable):
            yield row, None, picture

    def _found(self, end: int) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.uint8]]]:
        with open_landmarker(static=True, max_faces=_MOST_FACES) as landmarker:
            for row, picture in read_frames(self._frames, np.arange(end), self._unreadable):
                faces = landmarker.detect(picture)
                if faces:
                    yield row, largest_face(faces), picture


def _manner_of(crops: Path) -> dict[str, Any]:
    """Read how a folder of prepared crops says it was made."""
    path = crops / MANNER
    try:
        manner = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{crops} holds no {MANNER}, so it is not known how its crops were made; give the folder crops of a training run"
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}") from error
    if not isinstance(manner, dict):
        raise InputError(f"{path} is damaged: it holds no object")
    return manner


def _aligner_of(crops: Path, manner: dict[str, Any]) -> Alignment:
    """Make the aligner that a folder of prepared crops was made with."""
    path = crops / MANNER
    try:
        aligner = Alignment.from_dict(manner["alignment"])
    except (ValueError, KeyError, TypeError, RecordError) as error:
        raise InputError(f"{path} is damaged: {error}") from error
    if not isinstance(aligner, ArcFaceTemplate) and aligner.canvas != aligner.size:
        raise InputError(
            f"{path}: these crops do not cover the whole canvas, so another network cannot be shown its own part of them"
        )
    return aligner
