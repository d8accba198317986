"""The interface of every source of frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from edgeau._system.closing import Closing
from edgeau.sources.frame import Frame

__all__ = ["Source"]


class Source(Closing, ABC):
    """An iterable of frames that is read once, one frame in memory at a time, and closed at the end.

    A source delivers every frame that it can. What it could not deliver it reports after the last one, by raising
    :class:`~edgeau.errors.InputError` from its iterator: a file that ends early never passes for a whole one.

    Attributes:
        name: for people, such as the file's name.
        length: number of frames to expect, for progress; None if unknown.
        fps: frames a second to expect; None when there is no rate.
        live: frames that are not taken in time are lost (a camera).
        still: frames have nothing to do with each other (pictures), so nothing may be tracked or smoothed over them.
        is_damaged: whether frames were passed over so far: those that follow are not the ones of their numbers.
    """

    name: str
    length: int | None = None
    fps: float | None = None
    live: bool = False
    still: bool = False
    is_damaged: bool = False

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """The frames in order."""

    def stop(self) -> None:
        """Ask an iterator that waits (for a camera, for the next try) to end soon. Any thread may call it."""

    def close(self) -> None:
        """Release what is held; more than once does no harm."""
