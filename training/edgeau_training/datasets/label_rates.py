"""How often each AU occurs, against published figures: a loader that is off by one frame or column shows here first."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from edgeau_training.datasets.labelled_frames import LabelledFrames

__all__ = ["MINIMUM_FRAMES", "TOLERANCE", "LabelRateWarning", "check_label_rates"]

TOLERANCE = 0.05
MINIMUM_FRAMES = 1000  # ours: the rates of fewer frames say more about the faces than about the loader


class LabelRateWarning(UserWarning):
    """Labels occur more or less often than in the published data."""


def check_label_rates(
    frames: LabelledFrames, published: Mapping[str, float], *, of_all: bool = False
) -> None:
    """Warns, in one line, of every AU whose rate is more than 0.05 from the published one.

    Args:
        frames: as read.
        published: AU label to positives per frame.
        of_all: the published rates count unknown entries among the frames; else only known ones.
    """
    if len(frames) < MINIMUM_FRAMES:
        return
    off = []
    for column, label in enumerate(frames.labels):
        total = len(frames) if of_all else int(frames.judged[column])
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
