"""What mirroring a picture does to its labels.

Only the head's turn and tilt have sides; every other AU is coded for the face as a whole. Mirroring a picture without
exchanging these labels would corrupt four of EmotioNet's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
        if label in MIRRORED and MIRRORED[label] not in labels:
            raise UsageError(
                f"{label} becomes {MIRRORED[label]} in a mirrored picture, and the labels lack it; "
                "train on both or on neither, or without mirroring"
            )
    return np.array([labels.index(MIRRORED.get(label, label)) for label in labels], np.int64)
