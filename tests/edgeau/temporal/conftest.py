"""Results of one face whose AUs follow a given signal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgeau.results import ActionUnit, Box, Face, FrameResult, HeadPose

LANDMARKS = np.zeros((478, 3), np.float32)


def unit(probability: float | None, label: str = "AU12", threshold: float = 0.5) -> ActionUnit:
    if probability is None:
        return ActionUnit(label, None, None, reason="pose")
    return ActionUnit(label, probability, probability >= threshold, intensity=probability)


def frame(
    time_s: float,
    probability: float | None = None,
    *,
    track_id: int | None = 0,
    read_s: float | None = None,
    face: bool = True,
) -> FrameResult:
    """AU12 has the probability, which is None when it is refused."""
    aus = {"AU12": unit(probability)}
    found = Face(Box(0, 0, 9, 9), LANDMARKS, track_id, HeadPose(0, 0, 0), aus, aus_time_s=read_s)
    return FrameResult(round(time_s * 100), time_s, 0.0, 0, (found,) if face else ())


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., FrameResult]:
    return frame
