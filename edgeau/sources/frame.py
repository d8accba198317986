"""One frame of a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeau.frames import check_frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Frame"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        index: number in its source, from 0.
        time_s: seconds from the start of its source; 0 for pictures, which have no time.
        image: uint8 ``(height, width, 3)``, BGR.
        name: for people: the file's name, or the source's name and the index.

    Raises:
        InputError: the image is not such an array.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]
    name: str

    def __post_init__(self) -> None:
        check_frame(self.image)
