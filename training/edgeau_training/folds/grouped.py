"""K folds of whole groups: shuffled, or balanced by their frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.folds.fold import Fold

__all__ = ["balanced_fold", "fold_names", "shuffled_fold"]


def fold_names(count: int) -> tuple[str, ...]:
    """``("1", ..., "count")``."""
    return tuple(str(number) for number in range(1, count + 1))


def shuffled_fold(frames: LabelledFrames, name: str, count: int, seed: int) -> Fold:
    """Fold ``name`` of ``count``: groups shuffled once with ``seed`` and dealt out in turn.

    Raises:
        InputError: there are fewer groups than folds, or none of the fold's groups has a frame.
    """
    groups = len(frames.group_names)
    order = np.random.default_rng(seed).permutation(groups)
    bins = np.empty(groups, np.int64)
    bins[order] = np.arange(groups) % count
    return _fold(frames, name, count, bins)


def balanced_fold(frames: LabelledFrames, name: str, count: int) -> Fold:
    """Fold ``name`` of ``count``: each group, the largest first, joins the fold with the fewest frames so far.

    Raises:
        InputError: there are fewer groups than folds.
    """
    sizes = np.bincount(frames.group, minlength=len(frames.group_names))
    filled, bins = np.zeros(count, np.int64), np.empty(len(sizes), np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        bins[group] = filled.argmin()
        filled[bins[group]] += sizes[group]
    return _fold(frames, name, count, bins)


def _fold(frames: LabelledFrames, name: str, count: int, bins: NDArray[np.int64]) -> Fold:
    present = len(np.unique(frames.group))
    if present < count:
        raise InputError(
            f"{frames.name} has {present} subjects or videos, too few for {count} folds that share none"
        )
    tested = bins[frames.group] == int(name) - 1
    if not tested.any():
        raise InputError(
            f"fold {name} of {frames.name} has no labelled frame to test on: none of its subjects or videos has a known label"
        )
    return Fold(name, np.flatnonzero(~tested), np.flatnonzero(tested))
