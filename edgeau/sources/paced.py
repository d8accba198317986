"""A file as if it were a camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from edgeau.errors import UsageError
from edgeau.sources.frame import Frame
from edgeau.sources.source import Source

__all__ = ["PacedSource"]

# So far behind its time the source starts counting again: a slow decoder must not pass for a slow pipeline.
_TOO_LATE_S = 0.5


class PacedSource(Source):
    """Gives each frame when its time has come on the machine's clock; who does not take it in time loses it.

    ``time_s`` stays the file's own, going on over repetitions; ``captured_s`` is the moment at which a camera would have
    taken the frame.

    Args:
        open_: opens the file; called once for every repetition.
        fps: rate to play it at; None takes the file's own times.
        repeat: start again at its end, without limit.

    Raises:
        InputError: it cannot be opened.
        UsageError: it is made of pictures, which have no time, and no rate is given.
    """

    live = True

    def __init__(
        self, open_: Callable[[], Source], *, fps: float | None = None, repeat: bool = False
    ) -> None:
        self._open, self._source = open_, open_()
        if self._source.still and fps is None:
            self._source.close()
            raise UsageError(f"{self._source.name} has no times of its own; give fps")
        self._asked_fps, self._repeat = fps, repeat
        self.name = self._source.name
        self.fps = fps or self._source.fps
        self.length = None if repeat else self._source.length
        self._stopped = threading.Event()
        self._reopening = threading.Lock()

    def __iter__(self) -> Iterator[Frame]:
        start_s = None
        for index, (time_s, frame) in enumerate(self._timed()):
            now_s = time.monotonic()
            due_s = now_s if start_s is None else start_s + time_s
            if start_s is None or now_s - due_s > _TOO_LATE_S:
                start_s, due_s = now_s - time_s, now_s
            if self._stopped.wait(max(0.0, due_s - now_s)):
                return
            yield replace(frame, index=index, time_s=time_s, captured_s=due_s)

    def stop(self) -> None:  # noqa: D102
        self._stopped.set()

    def close(self) -> None:
        """Stop, and close the file."""
        self._stopped.set()
        with self._reopening:
            self._source.close()

    def _timed(self) -> Iterator[tuple[float, Frame]]:
        """Frames with their times, the repetitions behind one another."""
        number, begin_s, time_s, step_s = 0, 0.0, 0.0, 1 / (self.fps or 30.0)
        while True:
            for frame in self._source:
                time_s = number / self._asked_fps if self._asked_fps else begin_s + frame.time_s
                yield time_s, frame
                number += 1
            if not self._repeat or not number:
                return
            begin_s = time_s + step_s
            with self._reopening:
                if self._stopped.is_set():  # closed by another thread: nobody would close what is opened now
                    return
                self._source.close()
                self._source = self._open()
