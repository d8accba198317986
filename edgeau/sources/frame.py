"""One frame of a source."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources.check_frame import check_frame

__all__ = ["Frame"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        index: number in its source, from 0.
        time_s: seconds from the start of its source: of the file, whatever the clock says, or of the camera on the
            machine's steady clock; 0 for pictures, which have no time.
        image: uint8 ``(height, width, 3)``, BGR.
        name: for people: the file's name, or the source's name and the index.
        captured_s: when it was taken, on the machine's steady clock (``time.monotonic``); None for files.
        small: the same view with fewer pixels, BGR, for finding faces in; None when there is none.
        gap_s: seconds without frames just before this one, after which the source came back; 0 when it never left.

    Raises:
        InputError: an image is not such an array, or the time is not finite.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]
    name: str
    captured_s: float | None = None
    small: NDArray[np.uint8] | None = None
    gap_s: float = 0.0

    def __post_init__(self) -> None:
        check_frame(self.image)
        if self.small is not None:
            check_frame(self.small)
        if not math.isfinite(self.time_s):
            raise InputError(f"the time of a frame must be a finite number of seconds, got {self.time_s}")
