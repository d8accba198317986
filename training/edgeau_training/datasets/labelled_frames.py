"""Frames with AU labels, before any picture is opened: the one table that every data set reader gives."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError

__all__ = ["LabelledFrames", "numbered"]


@dataclass(frozen=True)
class LabelledFrames:
    """N frames and what is known of C action units in each.

    Rows of one clip stand together and in the order of time.

    Attributes:
        name: name of the data set, for reports.
        root: folder that ``pictures`` are relative to.
        labels: C AU labels, ascending.
        pictures: N paths with ``/``: a picture, or a video where ``video_frame`` says which of its frames.
        occurrence: int8 ``(N, C)``: 1 present, 0 absent, and 0 where not known.
        mask: int8 ``(N, C)``: 1 where the label is known, 0 where it must neither count nor train.
        clip: int32 ``(N,)``, place of each row's clip in ``clip_names``.
        clip_names: sequences that frames were taken from.
        group: int32 ``(N,)``, place of each row's group in ``group_names``.
        group_names: subjects, or whatever else must never be on both sides of a split.
        aligned: pictures are square crops of aligned faces already; else they need landmarks and alignment first.
        video_frame: int64 ``(N,)``, frame in the video, from 0; None where pictures are files of their own.
        intensity: float32 ``(N, C)``, 0..5, where the data set has it.
        problems: one line for every row of the data that had to be left out.
        rows: int64 ``(N,)``, row of each in the one table of the data set, its header being row 1; None where labels stand in a
            file a clip.
    """

    name: str
    root: Path
    labels: tuple[str, ...]
    pictures: tuple[str, ...]
    occurrence: NDArray[np.int8]
    mask: NDArray[np.int8]
    clip: NDArray[np.int32]
    clip_names: tuple[str, ...]
    group: NDArray[np.int32]
    group_names: tuple[str, ...]
    aligned: bool
    video_frame: NDArray[np.int64] | None = None
    intensity: NDArray[np.float32] | None = None
    problems: tuple[str, ...] = ()
    rows: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        rows = len(self.pictures)
        if not rows:
            raise InputError(f"{self.name} in {self.root} has no labelled frame; check the folder")
        table, column = (rows, len(self.labels)), (rows,)
        _expect("occurrence", self.occurrence, table, np.int8)
        _expect("mask", self.mask, table, np.int8)
        _expect("clip", self.clip, column, np.int32)
        _expect("group", self.group, column, np.int32)
        _expect("video_frame", self.video_frame, column, np.int64)
        _expect("intensity", self.intensity, table, np.float32)
        _expect("rows", self.rows, column, np.int64)
        if not ((self.occurrence & ~self.mask) == 0).all() or not ((self.mask | 1) == 1).all():
            raise ValueError("occurrence and mask must be 0 or 1, and occurrence 0 where mask is 0")

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def positives(self) -> NDArray[np.int64]:
        """Number of frames in which each AU is known to be present, int64 ``(C,)``."""
        return np.asarray(self.occurrence.sum(axis=0, dtype=np.int64))

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Number of frames in which each AU is known, int64 ``(C,)``."""
        return np.asarray(self.mask.sum(axis=0, dtype=np.int64))

    @property
    def digest(self) -> str:
        """SHA-256 of pictures' names, labels and masks, after the name of the method."""
        content = hashlib.sha256("\n".join(self.pictures).encode())
        content.update(np.ascontiguousarray(self.occurrence).tobytes())
        content.update(np.ascontiguousarray(self.mask).tobytes())
        return "sha256:" + content.hexdigest()

    def path(self, row: int) -> Path:
        """The file of one row."""
        return self.root / self.pictures[row]

    def unreadable(self, row: int, error: Exception) -> str:
        """One line for a frame that cannot be read: its row of the table, or its clip and frame."""
        if self.rows is not None:
            return f"{self.name}, row {self.rows[row]}: {error}"
        frame = "" if self.video_frame is None else f", frame {self.video_frame[row] + 1}"
        return f"{self.name}, {self.clip_names[self.clip[row]]}{frame}: {error}"

    def select(self, rows: NDArray[np.integer[Any]]) -> LabelledFrames:
        """These rows, in the given order.

        Raises:
            InputError: none are left.
        """
        return replace(
            self,
            pictures=tuple(self.pictures[row] for row in rows),
            occurrence=self.occurrence[rows],
            mask=self.mask[rows],
            clip=self.clip[rows],
            group=self.group[rows],
            video_frame=None if self.video_frame is None else self.video_frame[rows],
            intensity=None if self.intensity is None else self.intensity[rows],
            rows=None if self.rows is None else self.rows[rows],
        )

    def known_rows(self) -> LabelledFrames:
        """Only the rows in which at least one AU is known: the others can neither train nor measure anything."""
        rows = np.flatnonzero(self.mask.any(axis=1))
        return self if len(rows) == len(self) else self.select(rows)

    def with_labels(self, labels: Sequence[str]) -> LabelledFrames:
        """The same frames for another label set; an AU that this data set does not code is unknown in every row.

        Raises:
            InputError: none of the labels is coded here.
        """
        if not set(labels) & set(self.labels):
            raise InputError(
                f"{self.name} codes none of {' '.join(labels)}; it codes {' '.join(self.labels)}"
            )
        columns = np.array([self.labels.index(label) if label in self.labels else -1 for label in labels])
        absent = columns < 0
        occurrence, mask = self.occurrence[:, columns], self.mask[:, columns]
        occurrence[:, absent], mask[:, absent] = 0, 0
        intensity = (
            None if self.intensity is None else np.where(absent, np.float32(0), self.intensity[:, columns])
        )
        return replace(self, labels=tuple(labels), occurrence=occurrence, mask=mask, intensity=intensity)


def numbered(names: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Names as numbers: int32 ``(N,)`` into the distinct names, which keep the order of their first use."""
    numbers: dict[str, int] = {}
    places = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)
    return places, tuple(numbers)


def _expect(name: str, array: NDArray[Any] | None, shape: tuple[int, ...], kind: type[np.generic]) -> None:
    if array is not None and (array.shape != shape or array.dtype != kind):
        raise ValueError(f"{name} must be {np.dtype(kind)} {shape}, got {array.dtype} {array.shape}")
