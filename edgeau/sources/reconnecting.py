"""A live source that comes back after its camera or stream has died."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from edgeau.errors import UserError
from edgeau.sources.frame import Frame
from edgeau.sources.reader import Reader
from edgeau.sources.source import Source

__all__ = ["Backoff", "Gap", "ReconnectingSource"]

_log = logging.getLogger(__name__)

_GAPS_KEPT = 100
_PATIENCE_S = 0.4  # for a camera to close


@dataclass(frozen=True)
class Backoff:
    """Waits that double from ``first_s`` to ``longest_s``, seconds, without end."""

    first_s: float = 0.5
    longest_s: float = 30.0

    def __iter__(self) -> Iterator[float]:
        wait_s = self.first_s
        while True:
            yield wait_s
            wait_s = min(2 * wait_s, self.longest_s)


@dataclass(frozen=True)
class Gap:
    """A time without frames.

    Attributes:
        time_s: time of the first frame after it.
        seconds: since the frame before it.
        why: what the source said when it left.
        tries: how often it was opened again until it came back.
    """

    time_s: float
    seconds: float
    why: str
    tries: int


class ReconnectingSource(Source):
    """Frames of a camera or stream, over its deaths: it is opened again, after longer and longer waits, until it answers.

    A source that hangs without an error counts as dead too. Numbers and times go on over a gap; the first frame after it
    says how long it was (:attr:`~edgeau.sources.Frame.gap_s`), and so does the log.

    Args:
        open_: opens the source; called at once, so that a wrong address is an error and not a gap.
        backoff: waits between tries.
        silence_s: a source that gives nothing for so long is dead, seconds.

    Attributes:
        gaps: the newest hundred.

    Raises:
        UserError: it cannot be opened the first time.
    """

    live = True

    def __init__(
        self, open_: Callable[[], Source], *, backoff: Backoff | None = None, silence_s: float = 5.0
    ) -> None:
        self._open = open_
        self._backoff = backoff or Backoff()
        self._silence_s = silence_s
        self._stopped = threading.Event()
        source = open_()
        self.name, self.fps = source.name, source.fps
        self._reader = Reader(source)
        self.gaps: deque[Gap] = deque(maxlen=_GAPS_KEPT)

    def __iter__(self) -> Iterator[Frame]:
        start_s = last_s = time.monotonic()
        index, tries, why = 0, 0, ""
        waits = iter(self._backoff)
        while True:
            for frame in self._reader.frames(self._silence_s):
                captured_s = time.monotonic() if frame.captured_s is None else frame.captured_s
                start_s = captured_s if index == 0 else start_s
                gap_s = captured_s - last_s if why and index else 0.0
                if why:
                    self._report(Gap(captured_s - start_s, gap_s, why, tries))
                    waits = iter(self._backoff)
                why, tries, last_s = "", 0, captured_s
                name = f"{self.name} frame {index}"
                yield replace(
                    frame,
                    index=index,
                    time_s=captured_s - start_s,
                    name=name,
                    captured_s=captured_s,
                    gap_s=gap_s,
                )
                index += 1
            if self._stopped.is_set():
                return
            if not why:
                why = self._reader.why or f"no frame for {self._silence_s:g} s"
                _log.warning("%s was lost (%s); trying to open it again", self.name, why)
            self._reader.stop()
            tries += self._open_again(waits)

    def stop(self) -> None:
        """End the iterator, also while it waits for the source."""
        self._stopped.set()
        self._reader.stop()

    def close(self) -> None:
        """Release the source; one that hangs is released when it returns."""
        self.stop()
        self._reader.close(_PATIENCE_S)

    def _open_again(self, waits: Iterator[float]) -> int:
        """Wait and open until it answers; how many tries that took."""
        for tries, wait_s in enumerate(waits, start=1):
            if self._stopped.wait(wait_s):
                break
            try:
                source = self._open()
            except UserError as error:
                _log.debug("%s: try %d: %s", self.name, tries, error)
                continue
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, it does not answer yet
                _log.warning("%s: try %d: %s: %s", self.name, tries, type(error).__name__, error)
                continue
            self._reader = Reader(source)
            if self._stopped.is_set():
                self._reader.close(_PATIENCE_S)
            return tries
        return 0

    def _report(self, gap: Gap) -> None:
        self.gaps.append(gap)
        _log.warning("%s is back after %.1f s (tries: %d)", self.name, gap.seconds, gap.tries)
