"""Pictures as a source: files, or arrays in memory."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import DependencyError, InputError
from edgeau.sources.frame import Frame
from edgeau.sources.picture_file import read_picture
from edgeau.sources.source import Source

__all__ = ["ArraySource", "PictureSource"]


class PictureSource(Source):
    """Pictures, one frame each, in the order given.

    A picture that cannot be read is passed over, and named after the last one.

    Args:
        paths: paths of the files.
        name: for people.
        fps: the pictures are a film of so many frames a second; None takes each for itself.
        places: places of each on the film's clock, in frames from 0; None takes one after the other.
    """

    def __init__(
        self, paths: Sequence[Path], name: str, fps: float | None = None, places: Sequence[int] | None = None
    ) -> None:
        self.name = name
        self.length = len(paths)
        self.fps = fps
        self.still = fps is None
        self._paths = paths
        self._places = range(len(paths)) if places is None else places

    def __iter__(self) -> Iterator[Frame]:
        unreadable = []
        for index, (path, place) in enumerate(zip(self._paths, self._places, strict=True)):
            try:
                time_s = place / self.fps if self.fps else 0.0
                frame = Frame(index, time_s, read_picture(path), path.name)
            except (InputError, DependencyError) as error:
                where = repr(str(path))
                unreadable.append(str(error) if where in str(error) else f"{where}: {error}")
                continue
            yield frame
        if unreadable:
            raise InputError("; ".join(unreadable))


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
        self._running = threading.Lock()
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        for index, item in enumerate(self._items()):
            if isinstance(item, Frame):
                yield item
            else:
                yield Frame(index, index / (self.fps or 30.0), item, f"frame {index}")

    def close(self) -> None:
        """Close the iterable where it can be closed; a generator that another thread runs is closed when it gives its next item.

        Whoever iterates gets no more then.
        """
        if isinstance(self._frames, Generator):
            self._closed = True
            self._close_generator()
        elif (close := getattr(self._frames, "close", None)) is not None:
            close()

    def _items(self) -> Iterator[Any]:
        items = iter(self._frames)
        while True:
            with self._running:
                if self._closed:
                    return
                try:
                    item = next(items)
                except StopIteration:
                    return
            if self._closed:  # while it ran: whoever closes could not, and does not wait for a generator that may never come back
                self._close_generator()
                return
            yield item

    def _close_generator(self) -> None:
        """Close it, unless a thread is inside it: that one does so afterwards."""
        if self._running.acquire(blocking=False):
            try:
                self._frames.close()
            finally:
                self._running.release()
