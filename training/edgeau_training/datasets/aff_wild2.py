"""Aff-Wild2 (ABAW challenges): videos from the web, 12 AUs, every face cropped and aligned by its makers.

On disk: ``AU_Detection_Challenge/{Train_Set,Validation_Set}/<video>.txt``, a header of AUs and then the values of one frame
per line, from frame 1, -1 where a frame is to be disregarded; ``cropped_aligned/<video>/00001.jpg``, 112 x 112, without the
frames in which no face was found. So the number in a picture's name says its row, never its position; labels may go on
after the last picture and pictures after the last label. Videos of two people come as ``<video>_left`` and
``<video>_right``; three have a main person without a suffix.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import labels as au_labels
from edgeau.errors import InputError
from edgeau_training.datasets import label_codes
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered
from edgeau_training.datasets.number_rows import read_lines, read_number_rows
from edgeau_training.datasets.picture_folders import numbered_pictures
from edgeau_training.folds.fold import Fold
from edgeau_training.folds.grouped import balanced_fold, fold_names

__all__ = ["LABELS", "OFFICIAL", "AffWild2", "base_video"]

LABELS = au_labels((1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26))
OFFICIAL = "official"
_SETS = ("Train_Set", "Validation_Set")
_FOLDS = 4


class AffWild2:
    """Reads Aff-Wild2's training and validation videos.

    Folds: ``official`` trains on the one and tests on the other; ``1`` to ``4`` divide both together by base video, with
    about as many frames each (ours: the publication names four folds and does not define them).

    Args:
        root: the data set's folder.
        coding: folder with ``Train_Set`` and ``Validation_Set``, relative to ``root``.
        pictures: folder of the crops, relative to ``root``.
    """

    labels = LABELS
    folds = (OFFICIAL, *fold_names(_FOLDS))

    def __init__(
        self, root: Path, coding: str = "AU_Detection_Challenge", pictures: str = "cropped_aligned"
    ) -> None:
        self._coding, self._pictures = Path(root) / coding, Path(root) / pictures

    def read(self) -> LabelledFrames:
        """All frames that have a crop and at least one known label.

        Raises:
            InputError: a file or folder is missing or damaged; the message names it and its row.
        """
        files = [path for part in _SETS for path in self._label_files(part)]
        videos = [self._read_video(path) for path in files]
        names = [path.stem for path, video in zip(files, videos, strict=True) for _ in video[0]]
        clip, clip_names = numbered(names)
        group_of_clip, group_names = numbered([base_video(name) for name in clip_names])
        frames = LabelledFrames(
            name="Aff-Wild2",
            root=self._pictures,
            labels=LABELS,
            pictures=tuple(picture for video in videos for picture in video[0]),
            occurrence=np.concatenate([video[1] for video in videos]),
            mask=np.concatenate([video[2] for video in videos]),
            clip=clip,
            clip_names=clip_names,
            group=group_of_clip[clip] if len(clip) else clip,
            group_names=group_names,
            aligned=True,
        )
        return frames.known_rows()

    def fold(self, frames: LabelledFrames, name: str) -> Fold:
        """One of :attr:`folds`."""
        if name != OFFICIAL:
            return balanced_fold(frames, name, _FOLDS)
        validation = {path.stem for path in self._label_files(_SETS[1])}
        tested = np.array([clip in validation for clip in frames.clip_names], bool)[frames.clip]
        return Fold(OFFICIAL, np.flatnonzero(~tested), np.flatnonzero(tested))

    def _label_files(self, part: str) -> list[Path]:
        files = sorted((self._coding / part).glob("*.txt"))
        if not files:
            raise InputError(
                f"{self._coding / part} holds no <video>.txt; give the folder with {' and '.join(_SETS)}"
            )
        return files

    def _read_video(self, path: Path) -> tuple[list[str], NDArray[np.int8], NDArray[np.int8]]:
        """Pictures in the order of time, occurrence and mask of one person in one video."""
        if [cell.strip() for cell in read_lines(path)[0].split(",")] != list(LABELS):
            raise InputError(f"{path}, row 1: expected the header {','.join(LABELS)}")
        codes = read_number_rows(path, columns=len(LABELS), header=1)
        occurrence, mask = label_codes.AFF_WILD2.decode(
            codes, lambda row, column: f"{path}, row {row + 2}, {LABELS[column]}"
        )
        crops = numbered_pictures(self._pictures / path.stem)
        frames = np.array(sorted(frame for frame in crops if 1 <= frame <= len(codes)), np.int64)
        return (
            [f"{path.stem}/{crops[frame]}" for frame in frames.tolist()],
            occurrence[frames - 1],
            mask[frames - 1],
        )


def base_video(name: str) -> str:
    """The video that a person's annotation belongs to: its name without ``_left`` or ``_right``."""
    return name.removesuffix("_left").removesuffix("_right")
