"""Frames that a program makes itself as a source."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from edgeau.sources.frame import Frame
from edgeau.sources.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ArraySource"]


class ArraySource(Source):
    """Any iterable of frames.

    Args:
        frames: uint8 ``(height, width, 3)`` BGR arrays, or :class:`Frame`, which keep their index and time.
        fps: rate that gives arrays their time, frames a second.

    Raises:
        InputError: from the iterator, at the first item that is no such array.
    """

    def __init__(self, frames: Iterable[NDArray[np.uint8] | Frame], fps: float = 30.0) -> None:
        self.name = "frames"
        self.fps = fps
        self._frames: Any = frames
        self.length = len(frames) if isinstance(frames, Sized) else None

    def __iter__(self) -> Iterator[Frame]:
        for index, item in enumerate(self._frames):
            if isinstance(item, Frame):
                yield item
            else:
                yield Frame(index, index / (self.fps or 30.0), item, f"frame {index}")

    def close(self) -> None:
        """Close the iterable where it can be closed (a generator)."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()
