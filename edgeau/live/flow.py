"""Links between the threads of a live stream: a slot for the newest item, an even rate, and a limit on errors."""

from __future__ import annotations

import logging
import threading
from typing import Generic, TypeVar

__all__ = ["ErrorThrottle", "NewestSlot", "RateLimit"]

_log = logging.getLogger(__name__)

# A frame may come this share of a period early and still be taken: cameras are not exact clocks.
_EARLY = 0.25
# A frame may fail of itself (a decoder's garbage); so many in a row mean that the pipeline fails. Ours.
_LIMIT = 10

Item = TypeVar("Item")


class NewestSlot(Generic[Item]):
    """Holds the newest item until somebody takes it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def put(self, item: Item) -> Item | None:
        """Leave an item; what it replaced, or the item itself when the slot is closed."""
        with self._changed:
            if self._closed:
                return item
            replaced, self._item = self._item, item
            self._changed.notify_all()
            return replaced

    def take(self, timeout_s: float | None = None) -> Item | None:
        """Wait for an item; None when the time is over, or the slot is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Nothing more comes; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """True when nothing more comes."""
        return self._closed


class RateLimit:
    """Lets through no more than so many frames a second, evenly.

    Args:
        fps: frames a second; None lets all through.
    """

    def __init__(self, fps: float | None) -> None:
        self._period_s = None if fps is None else 1 / fps
        self._next_s: float | None = None

    def lets_through(self, now_s: float) -> bool:
        """Decide whether the frame of this moment is taken."""
        if self._period_s is None:
            return True
        if self._next_s is None or now_s > self._next_s + self._period_s:
            self._next_s = now_s  # the first one, or the source paused: no catching up
        if now_s < self._next_s - _EARLY * self._period_s:
            return False
        self._next_s += self._period_s
        return True


class ErrorThrottle:
    """Bears single failures of one stage, and raises what does not stop.

    Args:
        name: name of the source, for the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._in_a_row = 0

    def over(self) -> None:
        """A frame went well."""
        self._in_a_row = 0

    def report(self, error: Exception) -> None:
        """A frame failed.

        Raises:
            Exception: the error, when ten frames in a row failed.
        """
        self._in_a_row += 1
        if self._in_a_row == 1:
            _log.warning("a frame of %s failed: %s", self._name, error)
        if self._in_a_row >= _LIMIT:
            raise error
