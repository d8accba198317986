"""Batches made ahead of their use."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

__all__ = ["prefetch"]

_Item = TypeVar("_Item")


class _End:
    """Says that nothing more comes, or that the maker failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def prefetch(items: Iterator[_Item], depth: int = 4) -> Generator[_Item, None, None]:
    """The same items, made ahead by one thread; an error there is raised here.

    Who does not take them all closes the generator, which waits for the thread: one that still makes pictures or tensors
    while Python ends is torn out of C++ code, and the process dies by SIGABRT.
    """
    made: queue.Queue[_Item | _End] = queue.Queue(depth)
    stopped = threading.Event()

    def produce() -> None:
        try:
            for item in items:
                if not _put(made, item, stopped):
                    return
            _put(made, _End(), stopped)
        except BaseException as error:  # noqa: BLE001  (raised again by the consumer)
            _put(made, _End(error), stopped)

    thread = threading.Thread(target=produce, name="batches", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        _empty(made)  # wakes a thread that waits for room
        thread.join()


def _put(made: queue.Queue[_Item | _End], item: _Item | _End, stopped: threading.Event) -> bool:
    """False when nobody wants more."""
    while not stopped.is_set():
        try:
            made.put(item, timeout=0.5)
        except queue.Full:
            continue
        return not stopped.is_set()
    return False


def _empty(made: queue.Queue[_Item | _End]) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            made.get_nowait()
