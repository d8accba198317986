"""The stages of a file in threads of their own, so that decoding, landmarks, networks and whoever takes the results run at once.

Each stage sees the frames in order, and what is remembered from frame to frame is remembered by one thread, so that the answers are those of one
thread, bit for bit. Only the networks' looks, which remember nothing, run side by side.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple, TypeVar

from edgeau._system.lifetime import Lifetime
from edgeau.results import Face
from edgeau.sources import Frame, Source
from edgeau.stages import FrameStages

__all__ = ["Overlap"]

# How often a thread that waits looks whether it should end, seconds.
_WATCH_S = 0.1
# Frames decoded ahead, and looked at ahead of the one that is taken for each reader: each takes memory, and fewer let a core wait
# (benchmarks/film_cores.py).
_AHEAD = 2

Item = TypeVar("Item")


Decoded = tuple[Frame, float]


class Looked(NamedTuple):
    """A frame, when it was taken (seconds of whatever clock), and its faces as soon as they are read."""

    frame: Frame
    taken_s: float
    faces: Future[list[Face]]


class Overlap:
    """One pass over a source.

    Args:
        stages: which were started for it.
        source: neither live nor still; closed by whoever opened it, after this has ended.
        readers: faces of so many frames are read at once, 1 or more.
        finding: entered while the faces of a frame are found; raises where another stream took the stages over.
        clock: gives seconds.
    """

    def __init__(
        self,
        stages: FrameStages,
        source: Source,
        readers: int,
        finding: Callable[[], AbstractContextManager[None]],
        clock: Callable[[], float],
    ) -> None:
        self._stages, self._source = stages, source
        self._finding, self._clock = finding, clock
        self._decoded: queue.Queue[Decoded | BaseException | None] = queue.Queue(_AHEAD)
        self._looked: queue.Queue[Looked | BaseException | None] = queue.Queue(_AHEAD * (readers + 1))
        self._stopping = threading.Event()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="edgeau-read")
        self._threads = [
            threading.Thread(target=self._decode, name="edgeau-decode", daemon=True),
            threading.Thread(target=self._find, name="edgeau-find", daemon=True),
        ]

    def frames(self) -> Generator[Looked, None, None]:
        """Every frame in order; what a stage raised is raised after the frames before it.

        Raises:
            EngineError: the process was forked since.
        """
        lifetime = Lifetime("stream")
        begun: list[threading.Thread] = []
        try:
            for thread in self._threads:
                thread.start()
                begun.append(thread)
            while True:
                lifetime.check()
                item = self._looked.get()
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            if lifetime.is_here:  # not in a forked process, which has none of the threads
                self._stopping.set()
                for thread in begun:
                    thread.join()
                self._readers.shutdown(cancel_futures=True)

    def _decode(self) -> None:
        try:
            for frame in self._source:
                if not self._put(self._decoded, (frame, self._clock())):
                    return
        except BaseException as error:  # noqa: BLE001 - raised where the results are taken
            self._put(self._decoded, error)
        else:
            self._put(self._decoded, None)

    def _find(self) -> None:
        item: BaseException | None = None
        while (decoded := self._next_decoded()) is not None:
            if isinstance(decoded, BaseException):
                item = decoded
                break
            frame, taken_s = decoded
            try:
                with self._finding():
                    found = self._stages.find(frame)
                faces = self._readers.submit(self._stages.read, frame, found)
            except BaseException as error:  # noqa: BLE001
                item = error
                break
            if not self._put(self._looked, Looked(frame, taken_s, faces)):
                return
        self._put(self._looked, item)

    def _put(self, items: queue.Queue[Item], item: Item) -> bool:
        """Wait for room; False when the pass was stopped meanwhile."""
        while not self._stopping.is_set():
            with suppress(queue.Full):
                items.put(item, timeout=_WATCH_S)
                return True
        return False

    def _next_decoded(self) -> Decoded | BaseException | None:
        while not self._stopping.is_set():
            with suppress(queue.Empty):
                return self._decoded.get(timeout=_WATCH_S)
        return None
