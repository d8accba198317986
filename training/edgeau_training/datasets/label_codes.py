"""The label codes of the data sets, turned into occurrence and mask once, when they are read.

The same number means different things: 0 is "absent" in every data set but "ignore" in DRML's loss, -1 is "ignore" in
Aff-Wild2 but "absent" in DRML's loss, 9 is BP4D's and 999 EmotioNet's "not coded". None of them leaves a reader.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.datasets.labelled_frames import LabelledFrames

__all__ = [
    "AFF_WILD2",
    "BP4D",
    "DISFA",
    "EMOTIONET",
    "MINIMUM_FRAMES",
    "TOLERANCE",
    "LabelCode",
    "LabelRateWarning",
    "check_classes",
    "check_label_rates",
]


@dataclass(frozen=True)
class LabelCode:
    """Meaning of the numbers in a data set's label files."""

    present: tuple[int, ...]
    absent: tuple[int, ...]
    unknown: tuple[int, ...] = ()

    def decode(
        self, values: NDArray[np.integer[Any]], where: Callable[[int, int], str]
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Occurrence and mask, int8, both of the shape of ``values``.

        Args:
            values: ``(N, C)``, as in the files.
            where: names the file, line and column of an entry, given its row and column here.

        Raises:
            InputError: a number that this data set does not use; it must not pass for absent.
        """
        known = np.isin(values, self.present + self.absent + self.unknown)
        if not known.all():
            row, column = (int(place) for place in np.argwhere(~known)[0])
            raise InputError(
                f"{where(row, column)}: label {values[row, column]} is not known; {self.describe()}"
            )
        mask = ~np.isin(values, self.unknown)
        return np.isin(values, self.present).astype(np.int8), mask.astype(np.int8)

    def describe(self) -> str:
        """The codes in words."""
        parts = [f"{_listed(self.present)} is present", f"{_listed(self.absent)} absent"]
        if self.unknown:
            parts.append(f"{_listed(self.unknown)} not coded")
        return ", ".join(parts)


def _listed(codes: tuple[int, ...]) -> str:
    return " or ".join(str(code) for code in codes)


BP4D = LabelCode(present=(1,), absent=(0,), unknown=(9,))
DISFA = LabelCode(present=(2, 3, 4, 5), absent=(0, 1))  # intensities
EMOTIONET = LabelCode(present=(1,), absent=(0,), unknown=(999,))
AFF_WILD2 = LabelCode(present=(1,), absent=(0,), unknown=(-1,))


TOLERANCE = 0.05
MINIMUM_FRAMES = 1000  # ours: the rates of fewer frames say more about the faces than about the loader


class LabelRateWarning(UserWarning):
    """Labels occur more or less often than in the published data."""


def check_label_rates(
    frames: LabelledFrames, published: Mapping[str, float], *, of_all: bool = False
) -> None:
    """Warns, in one line, of every AU whose rate is more than 0.05 from the published one.

    A loader that is off by one frame or column shows here first.

    Args:
        frames: as read.
        published: AU label to positives per frame.
        of_all: the published rates count unknown entries among the frames; else only known ones.
    """
    if len(frames) < MINIMUM_FRAMES:
        return
    off = []
    for column, label in enumerate(frames.labels):
        total = len(frames) if of_all else int(frames.labelled[column])
        if label not in published or not total:
            continue
        rate = int(frames.positives[column]) / total
        if abs(rate - published[label]) > TOLERANCE:
            off.append(f"{label} {rate:.3f} instead of {published[label]:.3f}")
    if off:
        warnings.warn(
            f"{frames.name} in {frames.root}: AUs occur at other rates than published ({', '.join(off)}); "
            "the labels may be shifted by a frame or a column, or this is another part of the data",
            LabelRateWarning,
            stacklevel=3,
        )


def check_classes(frames: LabelledFrames, what: str) -> None:
    """Warns, in one line, of AUs that a network cannot learn from these frames, since only one class of them is there.

    Args:
        frames: the training side.
        what: name of it, for the message.
    """
    positives, labelled = frames.positives, frames.labelled
    lacking = {
        "never labelled": labelled == 0,
        "never present": (labelled > 0) & (positives == 0),
        "always present": (labelled > 0) & (positives == labelled),
    }
    found = [
        f"{' '.join(label for label, one in zip(frames.labels, columns, strict=True) if one)} {how}"
        for how, columns in lacking.items()
        if columns.any()
    ]
    if found:
        warnings.warn(
            f"{what}: {', '.join(found)}, so the network cannot learn to tell them",
            LabelRateWarning,
            stacklevel=3,
        )
