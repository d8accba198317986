"""DISFA: 27 subjects, one video of 4,845 frames per camera, intensities 0..5 of 12 AUs.

On disk: ``Videos_LeftCamera/LeftVideoSN001_comp.avi`` (the right camera's folder is ``Video_RightCamera`` in the release)
and ``ActionUnit_Labels/SN001/SN001_au1.txt`` with ``frame,intensity`` per line. Label files count frames from 1, videos and
most folders of extracted pictures (``SN001/0.png``) from 0. An AU occurs from intensity 2 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import DISFA as LABELS
from edgeau.action_units.names import au_number
from edgeau.action_units.names import labels as au_labels
from edgeau.errors import InputError, UsageError
from edgeau_training.datasets import label_codes
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered
from edgeau_training.datasets.number_rows import read_number_rows
from edgeau_training.datasets.picture_folders import numbered_pictures
from edgeau_training.datasets.picture_table import ERROR, check_choice, note_left_out
from edgeau_training.folds.fold import FOLDS, Fold, part_fold

__all__ = ["CODED", "DISFA", "PARTS"]

CODED = au_labels((1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26))
PARTS = (
    ("SN002", "SN010", "SN001", "SN026", "SN027", "SN032", "SN030", "SN009", "SN016"),
    ("SN013", "SN018", "SN011", "SN028", "SN012", "SN006", "SN031", "SN021", "SN024"),
    ("SN003", "SN029", "SN023", "SN025", "SN008", "SN005", "SN007", "SN017", "SN004"),
)
_VIDEO_FOLDERS = {
    "left": ("Videos_LeftCamera", "Video_LeftCamera"),
    "right": ("Video_RightCamera", "Videos_RightCamera"),
}


class DISFA:
    """Reads DISFA.

    Args:
        root: the data set's folder.
        labels: AUs to read, of the 12 coded ones; the usual 8 by default.
        camera: ``left`` or ``right``, for the videos.
        pictures: folder of extracted pictures (``SN001/0.png``), relative to ``root``; None takes the videos.
        subjects: to read; all 27 by default.
        missing: ``error`` when a labelled frame has no extracted picture, or ``skip`` it.
    """

    folds = FOLDS

    def __init__(
        self,
        root: Path,
        labels: Sequence[str] = LABELS,
        camera: str = "left",
        pictures: str | None = None,
        subjects: Sequence[str] | None = None,
        missing: str = ERROR,
    ) -> None:
        everyone = [subject for part in PARTS for subject in part]
        strangers = sorted(set(subjects or ()) - set(everyone))
        uncoded = [label for label in labels if label not in CODED]
        if strangers:
            raise UsageError(
                f"DISFA has no subject {' '.join(strangers)}; it has {' '.join(sorted(everyone))}"
            )
        if uncoded or not labels:
            raise UsageError(
                f"DISFA does not code {' '.join(uncoded) or 'no AU'}; it codes {' '.join(CODED)}"
            )
        if camera not in _VIDEO_FOLDERS:
            raise UsageError(f"DISFA has no camera {camera!r}; it has left and right")
        self.labels = tuple(sorted(labels, key=au_number))
        self._root, self._camera = Path(root), camera
        self._pictures = None if pictures is None else self._root / pictures
        self._subjects = [subject for subject in everyone if subjects is None or subject in subjects]
        self._missing = check_choice(missing)

    def read(self) -> LabelledFrames:
        """All labelled frames, subject by subject in the order of the parts; raw intensities beside the occurrence.

        Raises:
            InputError: a file is missing or damaged; the message names it and its row.
        """
        tables = [self._read_labels(subject) for subject in self._subjects]
        occurrence, mask, intensity = (
            np.concatenate([table[place] for table in tables]) for place in range(3)
        )
        lengths = [len(table[0]) for table in tables]
        subject_rows = [s for s, length in zip(self._subjects, lengths, strict=True) for _ in range(length)]
        frame = np.concatenate([np.arange(length) for length in lengths])
        clip, names = numbered(subject_rows)
        pictures, present = self._find_pictures(subject_rows, frame)
        frames = LabelledFrames(
            name="DISFA",
            root=self._root if self._pictures is None else self._pictures,
            labels=self.labels,
            pictures=pictures,
            occurrence=occurrence,
            mask=mask,
            clip=clip,
            clip_names=names,
            group=clip,
            group_names=names,
            aligned=False,
            video_frame=frame if self._pictures is None else None,
            intensity=intensity,
        )
        note_left_out("DISFA", frames.root, int((~present).sum()))
        return frames.select(np.flatnonzero(present)).known_rows()

    def fold(self, frames: LabelledFrames, name: str) -> Fold:
        """One of :attr:`folds`."""
        return part_fold(frames, name, PARTS)

    def _read_labels(self, subject: str) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.float32]]:
        """Occurrence, mask and intensity of one subject, each ``(frames, C)``."""
        paths = [self._label_file(subject, label) for label in self.labels]
        columns = [_read_intensities(path) for path in paths]
        length = max(map(len, columns))
        values, known = np.zeros((length, len(paths)), np.int64), np.zeros((length, len(paths)), np.int8)
        for place, (path, column) in enumerate(zip(paths, columns, strict=True)):
            # Label files of one subject are known to end a frame early; anything more is a truncated copy.
            if length - len(column) > 1:
                raise InputError(
                    f"{path} ends after row {len(column)}, other AUs of {subject} go on to row {length}"
                )
            values[: len(column), place], known[: len(column), place] = column, 1
        occurrence, mask = label_codes.DISFA.decode(
            values, lambda row, column: f"{paths[column]}, row {row + 1}"
        )
        return occurrence & known, mask & known, values.astype(np.float32)

    def _label_file(self, subject: str, label: str) -> Path:
        path = self._root / "ActionUnit_Labels" / subject / f"{subject}_au{au_number(label)}.txt"
        if not path.is_file():
            raise InputError(
                f"DISFA's subject {subject} is incomplete: {path} does not exist; "
                "complete the copy, or name the subjects that are there"
            )
        return path

    def _find_pictures(
        self, subjects: Sequence[str], frame: NDArray[np.int64]
    ) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
        """The picture or video of every row, and which rows have one."""
        if self._pictures is None:
            videos = {subject: self._video(subject) for subject in self._subjects}
            return tuple(videos[subject] for subject in subjects), np.ones(len(frame), bool)
        folders = {subject: numbered_pictures(self._pictures / subject) for subject in self._subjects}
        first = _first_number(self._pictures, folders)
        names = [
            folders[subject].get(int(place) + first) for subject, place in zip(subjects, frame, strict=True)
        ]
        present = np.array([name is not None for name in names], bool)
        if self._missing == ERROR and not present.all():
            row = int(np.argmin(present))
            raise InputError(
                f"{self._label_file(subjects[row], self.labels[0])}, row {frame[row] + 1}: there is no picture "
                f"{frame[row] + first} in {self._pictures / subjects[row]}; complete the copy, or pass missing=skip"
            )
        return tuple(f"{subject}/{name}" for subject, name in zip(subjects, names, strict=True)), present

    def _video(self, subject: str) -> str:
        name = f"{self._camera.capitalize()}Video{subject}_comp.avi"
        for folder in _VIDEO_FOLDERS[self._camera]:
            if (self._root / folder / name).is_file():
                return f"{folder}/{name}"
        raise InputError(
            f"DISFA's subject {subject} has no video {self._root / _VIDEO_FOLDERS[self._camera][0] / name}; "
            "complete the copy, name the subjects that are there, or give pictures=, the folder of extracted ones"
        )


def _read_intensities(path: Path) -> NDArray[np.int64]:
    """The intensity of every frame, int64 ``(frames,)``."""
    rows = read_number_rows(path, columns=2)
    off = np.flatnonzero(rows[:, 0] != np.arange(1, len(rows) + 1))
    if off.size:
        row = int(off[0])
        raise InputError(f"{path}, row {row + 1}: frame {rows[row, 0]} where frame {row + 1} was expected")
    return rows[:, 1]


def _first_number(folder: Path, folders: dict[str, dict[int, str]]) -> int:
    """Tell whether pictures were numbered from 0 or from 1 when they were extracted."""
    first = min((number for numbers in folders.values() for number in numbers), default=None)
    if first not in (0, 1):
        raise InputError(
            f"the pictures in {folder} begin with number {first}, so it cannot be told whether they count from 0 or 1; "
            "extract the first frame of a subject as well"
        )
    return first
