"""One stream of one live source: three threads, and what lies between them."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from edgeau._system.lifetime import Lifetime
from edgeau.errors import InputError
from edgeau.faces.detected_face import DetectedFace
from edgeau.live.counters import FrameStats, LiveCounters
from edgeau.live.flow import ErrorThrottle, NewestSlot, RateLimit
from edgeau.live.options import LiveOptions
from edgeau.live.reorder_buffer import PendingFrame, ReorderBuffer
from edgeau.live.scheduler import DeadlineScheduler
from edgeau.live.temperature import Thermometer
from edgeau.results import Face, FrameResult
from edgeau.sources import Frame, Source
from edgeau.stages import Stages

__all__ = ["LiveRun", "View"]

_log = logging.getLogger(__name__)

_FPS = 30.0
# How often whoever waits for a result looks after the source, and how long the source may take to end, seconds.
_WATCH_S = 0.25
_JOIN_S = 0.4
_RATE_WINDOW = 64  # results


@dataclass(frozen=True, slots=True)
class View:
    """A frame and what was found in it, for a viewer to draw. The picture is not a copy: draw on one of your own."""

    frame: Frame
    result: FrameResult


class LiveRun:
    """Runs from :meth:`start` to :meth:`stop`; results are taken with :meth:`take`.

    Args:
        stages: run in the threads; nobody else may use them meanwhile.
        source: live.
        options: what was asked.
    """

    def __init__(self, stages: Stages, source: Source, options: LiveOptions) -> None:
        self._stages, self._source, self._options = stages, source, options
        self._clock: Callable[[], float] = time.monotonic
        fps = options.fps or source.fps or _FPS
        self._stats = FrameStats()
        self._frames: NewestSlot[Frame] = NewestSlot()
        self._work: NewestSlot[tuple[PendingFrame, list[DetectedFace]]] = NewestSlot()
        self._results = ReorderBuffer(
            self._resolved,
            max_age_s=options.max_age_s,
            backlog=options.backlog,
            lose=lambda: self._stats.count_dropped("unclaimed"),
            clock=self._clock,
        )
        self._scheduler = DeadlineScheduler(1 / fps, max_every=options.max_every, hot_c=options.hot_c)
        self._thermometer = Thermometer()
        self._rate = RateLimit(options.fps)
        self._network_busy = threading.Event()
        self._stopping = threading.Event()
        self._starting = threading.RLock()
        self._lifetime = Lifetime("live stream")
        self._error: BaseException | None = None
        self._landmark_errors, self._network_errors = ErrorThrottle(source.name), ErrorThrottle(source.name)
        self._landmarks_s: float | None = None
        self._taken: deque[float] = deque(maxlen=_RATE_WINDOW)
        self._age_s = 0.0
        self._last_frame_s = self._clock()
        self._reported_silence = False
        self._threads = [
            threading.Thread(target=self._guarded(body, after), name=f"edgeau-{name}", daemon=True)
            for name, body, after in (
                ("capture", self._capture, self._frames.close),
                ("landmarks", self._find, self._end),
                ("network", self._read, self._end),
            )
        ]

    def start(self) -> None:
        """Begin; after :meth:`stop` nothing begins."""
        with self._starting:
            if self._stopping.is_set():
                return
            self._stages.start()
            for thread in self._threads:
                thread.start()

    def take(self) -> View | None:
        """Wait for the next result; None after the last.

        Raises:
            InputError: the source failed, or was silent for longer than allowed.
            EngineError: the engine fails again and again, or the process was forked since.
        """
        self._lifetime.check()
        while not self._stopping.is_set():
            pending = self._results.take(_WATCH_S)
            if pending is not None:
                return self._view(pending)
            if self._results.finished:
                break
            self._watch()
        if self._error is not None and not self._stopping.is_set():
            raise self._error
        return None

    def stop(self) -> None:
        """End within half a second, whatever the source does; more than once does no harm. Any thread may call it.

        In a forked process it does nothing: the threads are the parent's, and the locks may be held by them for ever.
        """
        if not self._lifetime.is_here:
            return
        self._stopping.set()
        self._source.stop()
        self._end()

    def join(self) -> None:
        """Wait for the threads, after :meth:`stop`, and account for the frames that were on their way."""
        if not self._lifetime.is_here:
            return
        with self._starting:  # a thread that begins right now is waited for as well
            pass
        capture, *stages = self._threads
        if capture.ident is not None:  # it was started
            for thread in stages:
                thread.join()  # a stage ends with the frame that it is at, and must not lose its models before
            capture.join(_JOIN_S)  # a camera may hang for ever
        waiting = self._frames.take(0) is not None
        for _ in range(self._results.clear() + waiting):
            self._stats.count_dropped("stopped")

    def counters(self) -> LiveCounters:
        """The counts so far."""
        taken = list(self._taken)
        span_s = taken[-1] - taken[0] if len(taken) > 1 else 0.0
        return replace(
            self._stats.counters(),
            fps=(len(taken) - 1) / span_s if span_s > 0 else 0.0,
            every=self._scheduler.every,
            age_s=self._age_s,
            landmarks_s=self._landmarks_s or 0.0,
            network_s=self._scheduler.cost_s,
            temperature_c=self._thermometer.celsius,
            silent_s=self._clock() - self._last_frame_s,
        )

    # ---- the threads ----

    def _capture(self) -> None:
        before_s: float | None = None
        for frame in self._source:
            now_s = self._clock()
            if self._stopping.is_set():
                return
            stamped = frame if frame.captured_s is not None else replace(frame, captured_s=now_s)
            self._last_frame_s, self._reported_silence = now_s, False
            self._stats.count_captured(frame.gap_s)
            if not self._rate.lets_through(now_s):
                self._stats.count_dropped("rate")
                continue
            if before_s is not None:
                self._scheduler.on_frame(now_s - before_s)
            before_s = now_s
            if (replaced := self._frames.put(stamped)) is not None:
                self._stats.count_dropped("stopped" if replaced is stamped else "busy")

    def _find(self) -> None:
        while (frame := self._frames.take()) is not None:
            begun_s = self._clock()
            try:
                found = self._stages.find(frame)
            except Exception as error:  # noqa: BLE001 - told, counted, and raised when it does not stop
                self._stats.count_failed(error)
                self._landmark_errors.report(error)
                continue
            self._landmark_errors.over()
            now_s = self._clock()
            before_s = now_s - begun_s if self._landmarks_s is None else self._landmarks_s
            self._landmarks_s = before_s + 0.1 * (now_s - begun_s - before_s)
            self._scheduler.on_temperature(self._thermometer.read(now_s), now_s)
            self._send(frame, found, now_s)

    def _send(self, frame: Frame, found: list[DetectedFace], now_s: float) -> None:
        tracks = [-1 if face.track_id is None else face.track_id for face in found]
        due = self._scheduler.due(tracks, now_s)
        looks = bool(due) and not self._network_busy.is_set()
        pending = PendingFrame(frame, found, self._scheduler.every)
        # Waiting for an answer that will not be there in time would make the result old for nothing.
        ready_s = now_s + len(due) * self._scheduler.cost_s
        pending.waits = looks and ready_s - pending.captured_s < self._options.max_age_s
        self._results.add(pending)
        if looks:
            self._scheduler.on_dispatch([tracks[place] for place in due])
            self._network_busy.set()
            self._work.put((pending, [found[place] for place in due]))

    def _read(self) -> None:
        while (work := self._work.take()) is not None:
            pending, found = work
            faces: list[Face] = []
            begun_s = self._clock()
            try:
                faces = self._stages.read(pending.frame, found, loaded=pending.every > 1)
                looked = sum(face.aus_held_s is None for face in faces)
                if looked:  # faces that did not change cost nothing, and say nothing of what the others will
                    self._scheduler.note_cost(looked, self._clock() - begun_s)
                self._network_errors.over()
            except Exception as error:  # noqa: BLE001
                self._network_errors.report(error)
            self._network_busy.clear()
            self._results.answer(pending, faces)

    def _end(self) -> None:
        self._frames.close()
        self._work.close()
        self._results.close()

    def _guarded(self, body: Callable[[], None], after: Callable[[], None]) -> Callable[[], None]:
        """The body of a thread: what it raises is raised where results are taken."""

        def run() -> None:
            try:
                body()
            except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
                if self._error is None:
                    self._error = error
            finally:
                after()

        return run

    # ---- where results are taken ----

    def _view(self, pending: PendingFrame) -> View:
        assert pending.faces is not None
        frame, now_s = pending.frame, self._clock()
        drops, gap_s = self._stats.count_processed()
        self._taken.append(now_s)
        self._age_s = now_s - pending.captured_s
        result = FrameResult(
            index=frame.index,
            time_s=frame.time_s,
            age_s=self._age_s,
            dropped=sum(drops.values()),
            faces=pending.faces,
            captured_s=frame.captured_s,
            drops=drops,
            every=pending.every,
            gap_s=gap_s,
        )
        return View(frame, self._stages.apply_filters(result))

    def _resolved(self, frame: Frame, face: DetectedFace, answer: Face | None) -> Face:
        if answer is None:
            return self._stages.without_aus(face)
        is_of_this_frame = answer.aus_time_s == frame.time_s
        return Face(
            face.box,
            face.landmarks,
            face.track_id,
            face.pose,
            answer.aus,
            quality=answer.quality,
            aus_time_s=answer.aus_time_s,
            network_logits=answer.network_logits if is_of_this_frame else None,
            aus_held_s=answer.aus_held_s,
        )

    def _watch(self) -> None:
        silent_s = self._clock() - self._last_frame_s
        limit_s = self._options.give_up_s
        if limit_s is not None and silent_s > limit_s:
            self.stop()
            raise InputError(
                f"{self._source.name} has delivered no frame for {silent_s:.1f} s; check its cable and power"
            )
        if silent_s > self._options.silence_s and not self._reported_silence:
            self._reported_silence = True
            _log.warning("%s has delivered no frame for %.1f s", self._source.name, silent_s)
