"""A sink behind a bounded queue and a thread of its own, so that nothing it does holds up the pipeline."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass

from edgeau._system.lifetime import Lifetime
from edgeau.errors import UserError
from edgeau.results import FrameResult
from edgeau.sinks.sink import Sink

__all__ = ["QueuedSink", "SinkReport"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SinkReport:
    """Counts of what became of the results that a sink was given.

    Attributes:
        name: name of the sink.
        written: results that it took.
        overrun: results that were dropped because it was too slow, oldest first.
        failed: results that it refused, or that were left when it was closed.
        lost_inside: what it gave up on by itself later, such as messages to a receiver that went away.
        waiting: results still in the queue.
        error: what it last said against a result, or None.
    """

    name: str
    written: int
    overrun: int
    failed: int
    lost_inside: int
    waiting: int
    error: str | None

    @property
    def lost(self) -> int:
        """All that did not get through."""
        return self.overrun + self.failed + self.lost_inside

    def __str__(self) -> str:
        lost = f", {self.lost} lost" * bool(self.lost)
        why = f" ({self.error})" * bool(self.lost and self.error)
        return f"{self.name}: {self.written} written{lost}{why}"


class QueuedSink(Sink):
    """Takes results at once and hands them on from its own thread.

    When the queue is full, the oldest result in it is dropped and counted: what happens now matters more than what
    happened. With ``lossless`` :meth:`write` waits for room instead, for work that is not live. A sink that fails is
    tried again with the next result; what it said is logged once per outage.

    Args:
        sink: what to hand on to; used by one thread only, and closed at the end.
        capacity: results in the queue at most.
        lossless: wait for room instead of dropping.
        close_seconds: how long :meth:`close` waits for what is in the queue.
    """

    def __init__(
        self, sink: Sink, *, capacity: int = 256, lossless: bool = False, close_seconds: float = 1.0
    ) -> None:
        self.name = sink.name
        self._lifetime = Lifetime("sink")
        self._sink = sink
        self._capacity, self._lossless, self._close_seconds = capacity, lossless, close_seconds
        self._queue: deque[FrameResult] = deque()
        self._changed = threading.Condition()
        self._closing = self._over = self._failing = False
        self._written = self._overrun = self._failed = 0
        self._error: str | None = None
        self._at_close: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    @property
    def report(self) -> SinkReport:
        """Report how it went so far."""
        with self._changed:
            return SinkReport(
                self.name,
                self._written,
                self._overrun,
                self._failed,
                self._sink.lost,
                len(self._queue),
                self._error,
            )

    @property
    def lost(self) -> int:
        """All that did not get through so far."""
        return self.report.lost

    def write(self, result: FrameResult) -> None:
        """Queue one result; never raises for what the sink does with it. After :meth:`close` it counts as failed.

        Raises:
            EngineError: the process was forked since the sink was opened: its thread did not come along.
        """
        self._lifetime.check()
        with self._changed:
            while self._lossless and len(self._queue) >= self._capacity and not self._closing:
                self._changed.wait()
            if self._closing:
                self._failed += 1
                return
            if len(self._queue) >= self._capacity:
                self._queue.popleft()
                self._overrun += 1
            self._queue.append(result)
            self._changed.notify_all()

    def close(self) -> None:
        """Hand on what is queued for as long as it may take, then close the sink.

        Raises:
            OutputError: the sink could not finish what it wrote.
        """
        if not self._lifetime.is_here:
            return  # the parent's to finish
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(None if self._lossless else self._close_seconds)
        with self._changed:
            if self._thread.is_alive() and not self._over:
                self._over = True
                self._failed += len(self._queue)
                self._error = (
                    f"closed after {self._close_seconds:g} s with {len(self._queue)} results not taken"
                )
                self._queue.clear()
                _log.warning("%s: %s", self.name, self._error)
            error, self._at_close = self._at_close, None
        if error is not None:
            raise error

    def _work(self) -> None:
        while (result := self._next()) is not None:
            self._hand_on(result)
        try:
            self._sink.close()
        except Exception as error:  # noqa: BLE001 - it is raised where close was called
            with self._changed:
                self._at_close = error

    def _next(self) -> FrameResult | None:
        """The oldest result, or None when there is nothing more to do."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            if not self._queue:
                return None
            result = self._queue.popleft()
            self._changed.notify_all()
            return result

    def _hand_on(self, result: FrameResult) -> None:
        try:
            self._sink.write(result)
        except (UserError, OSError) as error:
            self._note_failure(error)
        except BaseException as error:  # noqa: BLE001 - nothing that a callback raises, SystemExit included, may end the thread
            self._note_failure(error, trace=True)
        else:
            with self._changed:
                self._written += 1
                back, self._failing = self._failing, False
            if back:
                _log.warning("%s: works again; %d results lost so far", self.name, self.lost)

    def _note_failure(self, error: BaseException, *, trace: bool = False) -> None:
        with self._changed:
            self._failed += 1
            self._error = str(error) or type(error).__name__
            first, self._failing = not self._failing, True
        if first:
            _log.warning("%s: %s", self.name, self._error, exc_info=error if trace else None)
