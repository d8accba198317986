"""Objects of which a thread uses one at a time, such as the sessions of an engine."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Pool"]

T = TypeVar("T")


class Pool(Generic[T]):
    """Objects that threads take and give back; who finds none waits for one. Empty at first: :meth:`widen` adds objects.

    Where one thread at a time takes from it, that thread always gets the same object.
    """

    def __init__(self) -> None:
        self._free: queue.LifoQueue[T] = queue.LifoQueue()
        self._count, self._widening = 0, threading.Lock()

    def widen(self, count: int, open_one: Callable[[], T]) -> None:
        """Add objects.

        Args:
            count: objects altogether; those that are there already are kept.
            open_one: gives another one.
        """
        with self._widening:
            while self._count < count:
                self._free.put(open_one())
                self._count += 1

    def take(self) -> T:
        """An object that no other thread uses, until :meth:`give_back`.

        Raises:
            ValueError: there are none, so that waiting would have no end.
        """
        if not self._count:
            raise ValueError("nothing was opened")
        return self._free.get()

    def give_back(self, one: T) -> None:
        """Let other threads take it."""
        self._free.put(one)

    def close(self, close_one: Callable[[T], None]) -> None:
        """Close every object, each as soon as nobody uses it. They stay in the pool, so that threads that wait get one that is closed.

        Args:
            close_one: closes an object; more than once does no harm.
        """
        with self._widening:
            every = [self._free.get() for _ in range(self._count)]
        for one in every:
            close_one(one)
        for one in every:
            self._free.put(one)
