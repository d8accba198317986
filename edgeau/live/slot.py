"""A place for one item between two threads, where a newer item replaces the one that waits."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

__all__ = ["NewestSlot"]

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
        """Whether nothing more comes."""
        return self._closed
