"""Labels of a mirrored picture.

Of the published data sets' AUs only the head's turn and tilt have sides; mirroring a picture without exchanging these labels
would corrupt four of EmotioNet's. Tables of one's own may have sides of any AU (``AU12L``, ``AU12R``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import au_number_or_none
from edgeau.errors import UsageError

__all__ = ["MIRRORED", "mirrored_columns"]

MIRRORED = {
    "AU51": "AU52",
    "AU52": "AU51",
    "AU55": "AU56",
    "AU56": "AU55",
}  # head turn and tilt, left and right


def mirrored_columns(labels: Sequence[str]) -> NDArray[np.int64]:
    """The permutation that labels, masks and intensities of a mirrored picture go through, int64 ``(C,)``.

    ``mirrored = table[:, mirrored_columns(labels)]``; applying it twice changes nothing.

    Raises:
        UsageError: one side of a pair is among the labels without the other, so that a mirrored picture has no label
            for it.
    """
    labels = list(labels)
    for label in labels:
        if _mirrored(label) not in labels:
            raise UsageError(
                f"{label} becomes {_mirrored(label)} in a mirrored picture, and the labels lack it; "
                "train on both or on neither, or without mirroring"
            )
    return np.array([labels.index(_mirrored(label)) for label in labels], np.int64)


def _mirrored(label: str) -> str:
    """The label of the other side; the label itself where it has no side."""
    if label in MIRRORED:
        return MIRRORED[label]
    sided = au_number_or_none(label) is not None and label[-1] in "LR"
    return label[:-1] + {"L": "R", "R": "L"}[label[-1]] if sided else label
