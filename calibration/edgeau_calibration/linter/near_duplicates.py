"""Near-duplicates: one picture again and again, whatever its brightness, size or JPEG quality.

The difference hash of a crop has 144 bits: whether each cell of a 12 x 12 raster is brighter than its left neighbour. Two
crops are the same picture when 6 bits or fewer differ. Halved brightness, noise, blur and JPEG at quality 50 change 2 or 3
as a rule, another expression of the same face half a second later 10, another face 64 (and 21 at the least, of 12,000 pairs).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.data.crops import MINIMUM, CalibrationSet
from edgeau_calibration.linter.finding import LintFinding
from edgeau_calibration.linter.pixel_values import luminance

__all__ = ["distinct", "near_duplicates", "without_copies"]

_SAME = 6
_CELLS = 12
_SHARE = 0.5
# So many pictures of their own are enough, however many copies come with them: a film has 25 alike each second.
_ENOUGH = 64


def near_duplicates(found: CalibrationSet) -> Iterator[LintFinding]:
    """Refuses sets of which less than half, and less than 64, are pictures of their own."""
    count = int(distinct(found.crops).sum())
    if count < min(_SHARE * len(found), _ENOUGH):
        yield LintFinding(
            "near-duplicates",
            f"its {len(found)} crops are {count} different pictures",
            "give other pictures, or frames of a video that lie further apart",
        )


def without_copies(found: CalibrationSet) -> CalibrationSet:
    """The pictures of their own, and the rule that says so; all of it where too few would be left."""
    own = np.flatnonzero(distinct(found.crops))
    copies = len(found) - len(own)
    if not copies or len(own) < MINIMUM:
        return found
    return found.chosen(own, f"{copies} near-duplicates left out")


def distinct(crops: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark the crops, ``(n,)``, that repeat none before them."""
    hashes = _hashes(crops)
    kept: list[int] = []
    for index, bits in enumerate(hashes):
        if not kept or (hashes[kept] != bits).sum(axis=1).min() > _SAME:
            kept.append(index)
    chosen = np.zeros(len(crops), bool)
    chosen[kept] = True
    return chosen


def _hashes(crops: NDArray[np.uint8]) -> NDArray[np.bool_]:
    cells = luminance(crops, _CELLS + 1, _CELLS)
    return (cells[:, :, 1:] > cells[:, :, :-1]).reshape(len(crops), -1)
