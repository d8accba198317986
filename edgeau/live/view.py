"""A result together with the picture that it is about."""

from __future__ import annotations

from dataclasses import dataclass

from edgeau.results import FrameResult
from edgeau.sources.frame import Frame

__all__ = ["View"]


@dataclass(frozen=True, slots=True)
class View:
    """What a viewer draws: the frame, and what was found in it. The picture is not a copy: draw on one of your own."""

    frame: Frame
    result: FrameResult
