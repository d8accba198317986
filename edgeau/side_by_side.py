"""Pictures that have nothing to do with each other, several at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

from edgeau._system.lifetime import Lifetime
from edgeau.errors import InputError
from edgeau.overlap import Looked
from edgeau.results import Face
from edgeau.sources import Frame, Source

__all__ = ["looks_side_by_side"]


def looks_side_by_side(
    source: Source, look: Callable[[Frame], list[Face]], count: int, clock: Callable[[], float]
) -> Generator[Looked, None, None]:
    """Every picture of a source in order, while the next ones are looked at already.

    The source is read by whoever takes the looks, at most ``count`` pictures ahead of the one that is taken.

    Args:
        source: whose frames stand for themselves.
        look: gives the faces of a picture; called by ``count`` threads at once.
        count: pictures that are looked at at once, 1 or more.
        clock: gives seconds.

    Raises:
        InputError: as the source raises it, after the pictures before.
        EngineError: the process was forked since.
    """
    lifetime = Lifetime("stream")
    waiting: deque[Looked] = deque()
    fault: InputError | None = None
    readers = ThreadPoolExecutor(count, thread_name_prefix="edgeau-picture")
    try:
        frames = iter(source)
        while True:
            lifetime.check()
            try:
                frame = next(frames, None)
            except InputError as error:
                fault, frame = error, None
            if frame is None:
                break
            waiting.append(Looked(frame, clock(), readers.submit(look, frame)))
            if len(waiting) > count:
                yield waiting.popleft()
        while waiting:
            lifetime.check()
            yield waiting.popleft()
        if fault is not None:
            raise fault
    finally:
        if lifetime.is_here:  # not in a forked process, which has none of the threads
            readers.shutdown(cancel_futures=True)
