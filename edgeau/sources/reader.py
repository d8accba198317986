"""Reading a source in a thread of its own, so that one that hangs can be left behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from edgeau.sources.frame import Frame
from edgeau.sources.source import Source

__all__ = ["Reader"]

_LOOK_S = 0.1  # how often a thread that waits looks whether it is to stop


class Reader:
    """Hands a source's frames over one by one. Its thread owns the source: it closes it, however late that is.

    Args:
        source: open.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._frames: queue.Queue[Frame | None] = queue.Queue(maxsize=1)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgeau-reader", daemon=True)
        self._started = False
        self.why = ""

    def frames(self, silence_s: float) -> Iterator[Frame]:
        """The frames, until the source ends, fails (see ``why``), or gives nothing for ``silence_s`` seconds."""
        if not self._started:
            self._started = True
            self._thread.start()
        while (frame := self._next(silence_s)) is not None:
            yield frame

    def stop(self) -> None:
        """Read no more; the source is closed as soon as its last read returns."""
        self._stopped.set()
        self._source.stop()

    def close(self, timeout_s: float) -> None:
        """Stop and wait, for so long at most."""
        self.stop()
        if not self._started:
            self._source.close()
        elif self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _next(self, silence_s: float) -> Frame | None:
        waited_s = 0.0
        while waited_s < silence_s and not self._stopped.is_set():
            step_s = min(_LOOK_S, silence_s - waited_s)
            try:
                return self._frames.get(timeout=step_s)
            except queue.Empty:
                waited_s += step_s
        return None

    def _run(self) -> None:
        try:
            for frame in self._source:
                if not self._give(frame):
                    return
            self.why = "its stream ended"
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, the source is dead and said why
            self.why = str(error) or type(error).__name__
        finally:
            self._source.close()
            self._give(None)

    def _give(self, frame: Frame | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._frames.put(frame, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False
