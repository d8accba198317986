"""Session behind window and page: one live pipeline, its newest picture, recording, calibration, artifacts.

Everything here may be called from any thread.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing

from edgeau import Pipeline
from edgeau.bundle import Bundle, Timing, time_artifacts
from edgeau.errors import InputError, OutputError, UserError
from edgeau.faces.optional_outputs import OptionalOutput
from edgeau.live import LiveCounters, LivePipeline, View
from edgeau.results import FrameResult
from edgeau.sinks import QueuedSink, open_sink
from edgeau.sources import Source
from edgeau.temporal.events import Event, EventDetector
from edgeau.temporal.hysteresis import Hysteresis
from edgeau.temporal.smoothing import Smoother
from edgeau_apps.live.calibration import BaselineCalibration, CalibratedFace
from edgeau_apps.live.continuation import Continuation
from edgeau_apps.live.recording import Kind, Recording

__all__ = ["SECONDS", "History", "WebcamSession"]

_log = logging.getLogger(__name__)
_EVENTS = 50
SECONDS = 8.0  # of every action unit, for sparklines
_MOST = 600  # points a face: a camera of 60 frames a second


class History:
    """Probabilities and decisions of each face that is there."""

    def __init__(self) -> None:
        self._faces: dict[int, deque[tuple[float, dict[str, tuple[float, bool]]]]] = {}

    def add(self, result: FrameResult) -> None:
        """One more result."""
        seen = set()
        for face in result.faces:
            number = -1 if face.track_id is None else face.track_id
            seen.add(number)
            points = self._faces.setdefault(number, deque(maxlen=_MOST))
            read = {
                name: (unit.probability, bool(unit.active))
                for name, unit in face.aus.items()
                if unit.probability is not None
            }
            points.append((result.time_s, read))
            while points and result.time_s - points[0][0] > SECONDS:
                points.popleft()
        for number in self._faces.keys() - seen:
            if result.time_s - self._faces[number][-1][0] > 1.0:
                del self._faces[number]

    def of(self, number: int, label: str) -> list[tuple[float, float, bool]]:
        """Seconds before the newest point (0 or less), the probability then, and whether the AU was active; where it was read."""
        points = self._faces.get(number)
        if not points:
            return []
        now = points[-1][0]
        return [(time_s - now, *units[label]) for time_s, units in list(points) if label in units]


class WebcamSession:
    """Follows a source, one pipeline at a time.

    Args:
        load: makes a pipeline for an artifact, or for the bundle's choice with None.
        open_: opens the source.
        sinks: addresses that every result goes to, as :func:`edgeau.sinks.open_sink` takes them.

    Raises:
        UsageError: a sink's address is none.
        OutputError: a sink cannot be opened.
        DependencyError: a package is missing.
    """

    def __init__(
        self,
        load: Callable[[str | None], Pipeline],
        open_: Callable[[], Source],
        sinks: Sequence[str] = (),
    ) -> None:
        self._load, self._open_own = load, open_
        self._pipeline = load(None)
        self._sinks = _opened(sinks, self._pipeline)
        self._continuation = Continuation()
        self._lock = threading.RLock()
        self._changed = threading.Condition()
        # Each holds work of seconds that the stream must not wait for, as it would for the lock above.
        self._measuring, self._loading = threading.Lock(), threading.Lock()
        self._next_pipeline: Pipeline | None = None
        self._open: Callable[[], Source] = open_
        self._followed: Callable[[], Source] | None = None
        self._again = False
        self._ending = False
        self._live: LivePipeline | None = None
        self._thread: threading.Thread | None = None
        self._view: View | None = None
        self._number = 0
        self._events = EventDetector()
        self._timings: list[Timing] | None = None
        self.history = History()
        self.happened: deque[Event] = deque(maxlen=_EVENTS)
        self.recording: Recording | None = None
        self._recording_on = False
        self.calibration: BaselineCalibration | None = None
        self._calibrated: CalibratedFace | None = None
        self.said = ""
        self.failure: UserError | None = None
        self.crash: Exception | None = None

    @property
    def bundle(self) -> Bundle:
        """The bundle that runs."""
        return self._pipeline.bundle

    @property
    def labels(self) -> tuple[str, ...]:
        """AUs in order."""
        return self._pipeline.labels

    @property
    def optional_outputs(self) -> tuple[OptionalOutput, ...]:
        """Optional outputs that every face has."""
        return self._pipeline.optional_outputs

    @property
    def thresholds(self) -> dict[str, float]:
        """Thresholds of the artifact that runs."""
        return self._pipeline.thresholds

    @property
    def smoothed_s(self) -> float | None:
        """Largest lag of the probabilities that are shown, seconds; None where they are not smoothed."""
        lags = [one.latency_s for one in self._pipeline.stages.filters if isinstance(one, Smoother)]
        return sum(lags) if lags else None

    @property
    def bands(self) -> dict[str, tuple[float, float]]:
        """AU label to the probability below which it goes off and the one from which it comes on; empty where decisions have no band."""
        found: dict[str, tuple[float, float]] = {}
        for one in self._pipeline.stages.filters:
            if isinstance(one, Hysteresis):
                found |= one.limits
        return found

    @property
    def smallest_face(self) -> float:
        """Width of the smallest face that is found reliably, as a share of the frame's long side."""
        return self._pipeline.stages.smallest_face()

    @property
    def artifact(self) -> str:
        """Name of the artifact that runs, as :meth:`use_artifact` takes it."""
        one = self._pipeline.artifact
        return self.bundle.name(one.file, one.runtime, one.precision)

    def engine(self) -> str:
        """Name, for people, of the engine that runs the network."""
        return str(self._pipeline.describe())

    def precision(self) -> str:
        """Precision of the artifact that runs."""
        return self._pipeline.artifact.precision

    @property
    def sink_names(self) -> tuple[str, ...]:
        """Names, for people, of where results go: passwords are left out."""
        return tuple(sink.name for sink in self._sinks)

    def start(self) -> None:
        """Follow the source in a thread; again, where it ended.

        :attr:`failure` and :attr:`crash` then tell why it ended: an error that somebody can do something about, or one of edgeau.
        """
        self.failure = self.crash = None
        self._thread = threading.Thread(target=self._guarded, name="session", daemon=True)
        self._thread.start()

    def wait(self, seen: int, timeout: float) -> tuple[int, View | None]:
        """The newest view once its number is not ``seen``; None when nothing came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != seen or self._ending, timeout)
            return self._number, self._view if self._number != seen else None

    def newest(self) -> tuple[int, View | None]:
        """Number of the newest view, and it."""
        return self._number, self._view

    @property
    def alive(self) -> bool:
        """True while the source is followed."""
        return self._thread is not None and self._thread.is_alive()

    def record(self, *, on: bool) -> None:
        """Start a new recording, which throws the last one away; or end it, after which it can be fetched.

        Raises:
            OutputError: there is no room for one; the last one is kept.
        """
        with self._lock:
            if on:
                new = Recording(
                    self.labels,
                    self._pipeline.intensity_labels,
                    self._pipeline.sided_labels,
                    self._pipeline.optional_outputs,
                    trained=self.bundle.manifest.network.trained,
                )
                if self.recording is not None:
                    self.recording.close()
                self.recording = new
                self._recording_on = True
            else:
                self._recording_on = False

    @property
    def is_recording(self) -> bool:
        """True while results are being recorded."""
        return self._recording_on

    def fetch_recording(self, kind: Kind = "csv") -> bytes | None:
        """The recording so far, as a table, as JSON lines or its events; None when there is none."""
        with self._lock:
            if self.recording is None:
                return None
            recorded = self.recording.recorded(kind)
        return recorded.read()  # hundreds of megabytes after hours, which the stream must not wait for

    def calibrate(self) -> None:
        """Collect the neutral face of the largest face, one second.

        Raises:
            InputError: the bundle has no landmark model.
        """
        with self._lock:
            self.calibration = BaselineCalibration(self._pipeline)
            self.said = self.calibration.said

    def artifacts(self) -> list[Timing]:
        """Every artifact of the bundle with its latency here; measured at the first call, about two seconds, beside the stream."""
        with self._measuring:
            if self._timings is None:
                self._timings = time_artifacts(self.bundle, self.bundle.artifacts(), seconds=1.5)
            return self._timings

    def use_artifact(self, name: str) -> None:
        """Load another artifact and go on with it; the one that runs does so until then, and for good where loading fails.

        Raises:
            InputError: the bundle has no such one; see :meth:`edgeau.bundle.Bundle.name`.
            UserError: it cannot be loaded.
        """
        names = [self.bundle.name(one.file, one.runtime, one.precision) for one in self.bundle.artifacts()]
        if name not in names:
            raise InputError(f"there is no artifact {name!r}; there are {', '.join(names)}")
        with self._loading:
            new = self._load(name)
            with self._lock:
                self._next_pipeline, overtaken = new, self._next_pipeline
                self._turn()
                if self._ending:  # nobody follows any more
                    self._next_pipeline, overtaken = None, new
            if overtaken is not None:
                overtaken.close()

    def use_source(self, open_: Callable[[], Source] | None) -> None:
        """Follow another source; None goes back to the own one."""
        with self._lock:
            self._open = open_ or self._open_own
            self._turn()

    def counters(self) -> LiveCounters | None:
        """Counts of what became of every frame of the stream that runs; None before the first one."""
        live = self._live
        return None if live is None else live.snapshot()

    def close(self) -> None:
        """End; more than once does no harm."""
        with self._lock:
            self._ending = True
            if self._live is not None:
                self._live.stop()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5)
        with self._lock:
            if self.recording is not None:
                self.recording.close()
            if self._next_pipeline is not None:
                self._next_pipeline.close()
                self._next_pipeline = None
        self._pipeline.close()
        _close(self._sinks)

    def _turn(self) -> None:
        """End the stream that runs, so that the next one takes what is asked now."""
        self._again = True
        if self._live is not None:
            self._live.stop()

    def _guarded(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - whoever watches the session raises it again
            self.crash = error
            _log.exception("the session ended because of a bug in edgeau")

    def _follow(self) -> None:
        while not self._ending:
            self._again = False
            try:
                self._change_pipeline()
                self._stream()
            except UserError as error:
                self.said = str(error)
                if self._returns_to_own():  # a viewer's camera that went away
                    continue
                self.failure = error
                _log.warning("%s", error)
                return
            if not self._again and not self._returns_to_own():
                return

    def _returns_to_own(self) -> bool:
        """Go back to the own source where another one has ended, unless one more was asked for meanwhile; False where the own one has."""
        with self._lock:
            if self._open is self._followed:
                self._open = self._open_own
            return self._followed is not self._open_own or self._open is not self._open_own

    def _change_pipeline(self) -> None:
        with self._lock:
            new, self._next_pipeline = self._next_pipeline, None
            if new is None:
                return
            old, self._pipeline = self._pipeline, new
            self.said = f"running {self.engine()}"
            if self.calibration is not None:  # it collected what the old network says of a face at rest
                self.calibration = None
                self.said += ": calibrate again"
        old.close()

    def _begin_calibrated(self) -> None:
        """Another stream: of the same camera it shows the same people, of another one whoever they are."""
        if self._open is self._followed:
            if self._calibrated is not None:
                self._calibrated.begin_stream()
            if self.calibration is not None:  # its frames are of a stream whose time has ended
                self.calibrate()
        elif self._calibrated is not None or self.calibration is not None:
            self._calibrated = self.calibration = None
            self.said = "another camera: calibrate again"
        self._followed = self._open

    def _stream(self) -> None:
        self._events, self.history = EventDetector(), History()
        self._continuation.begin_stream()
        with self._lock:
            if self.recording is not None:
                self.recording.begin_stream()
            self._begin_calibrated()
            open_ = self._open
            live = self._live = LivePipeline(self._pipeline.stages)
        with open_() as source:
            with self._lock:  # whoever asks for another one stops this stream, or is heard here
                if self._ending or self._again:
                    return
                views = live.views(source)
            with closing(views):  # its threads end before their source is closed
                for view in views:
                    self._take(view)
                    if self._ending:
                        return

    def _take(self, view: View) -> None:
        result = view.result
        self._note(result)
        with self._changed:
            self._view = view
            self._number += 1
            self._changed.notify_all()

    def _note(self, result: FrameResult) -> None:
        self.history.add(result)
        if self._sinks:
            going_on = self._continuation.of(result)
            for sink in self._sinks:
                sink.write(going_on)
        self.happened.extend(self._events.update(result))
        with self._lock:
            if self._recording_on and self.recording is not None:
                self._add(self.recording, result)
            if self.calibration is not None:
                ended = self.calibration.take(result)
                self.said = self.calibration.said
                if ended:
                    self._calibrated = self.calibration.face or self._calibrated
                    self.calibration = None
            elif self._calibrated is not None:
                self.said = self._calibrated.take(result, self._pipeline) or self.said

    def _add(self, recording: Recording, result: FrameResult) -> None:
        try:
            recording.add(result)
        except OutputError as error:
            self._recording_on = False
            self.said = str(error)
        if recording.full:
            self._recording_on = False
            self.said = "the recording is full and has ended"


def _opened(addresses: Sequence[str], pipeline: Pipeline) -> list[QueuedSink]:
    sinks: list[QueuedSink] = []
    try:
        for address in addresses:
            sinks.append(open_sink(address, pipeline))  # noqa: PERF401 - those before a refused one are closed
    except BaseException:
        _close(sinks)
        pipeline.close()
        raise
    return sinks


def _close(sinks: list[QueuedSink]) -> None:
    """Close all of them, whichever cannot be finished, and tell what each lost."""
    while sinks:
        sink = sinks.pop(0)
        try:
            sink.close()
        except OutputError as error:
            _log.warning("%s", error)
        if sink.report.lost:
            _log.warning("%s", sink.report)
