"""A face before its action units are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.results import Box, HeadPose

__all__ = ["DetectedFace"]


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A face with its place and the turn of its head; fields as in :class:`~edgeau.results.Face`.

    ``is_reliable`` is False where the landmarks did not pass their check: they may be garbage, and no AU is read from them.
    """

    box: Box
    landmarks: NDArray[np.float32]
    track_id: int | None
    pose: HeadPose
    is_reliable: bool = True
