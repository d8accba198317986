"""Stages whose faces, times and faults a test sets, and a source that it feeds."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from edgeau.faces.detected_face import DetectedFace
from edgeau.results import ActionUnit, Box, Face, FrameResult, HeadPose
from edgeau.sources import Frame, Source

LANDMARKS = np.zeros((468, 3), np.float32)
IMAGE = np.zeros((4, 6, 3), np.uint8)


def unit(probability: float | None) -> dict[str, ActionUnit]:
    if probability is None:
        return {"AU12": ActionUnit("AU12", None, None, None, "too soon")}
    return {"AU12": ActionUnit("AU12", probability, probability > 0.5)}


class Stages:
    """A pipeline's stages. The probability of AU12 is a hundredth of the number of the frame that it was read from."""

    def __init__(self, tracks: Sequence[int] = (0,), find_s: float = 0.0, read_s: float = 0.0) -> None:
        self.tracks, self.find_s, self.read_s = list(tracks), find_s, read_s
        self.read_frames: list[tuple[int, tuple[int, ...]]] = []
        self.find_error: Callable[[Frame], None] = lambda frame: None
        self.read_error: Callable[[Frame], None] = lambda frame: None
        self.started = self.found = 0
        self.sleep: Callable[[float], None] = time.sleep

    def start(self) -> None:
        self.started += 1

    def find(self, frame: Frame) -> list[DetectedFace]:
        self.found += 1
        self.sleep(self.find_s)
        self.find_error(frame)
        pose = HeadPose(0, 0, 0)
        return [DetectedFace(Box(0, 0, 1, 1), LANDMARKS, track, pose) for track in self.tracks]

    def read(self, frame: Frame, faces: Sequence[DetectedFace], *, loaded: bool = False) -> list[Face]:
        self.sleep(self.read_s * len(faces))
        self.read_error(frame)
        self.read_frames.append((frame.index, tuple(face.track_id for face in faces)))
        aus = unit(frame.index % 100 / 100)
        return [
            Face(face.box, face.landmarks, face.track_id, face.pose, aus, aus_time_s=frame.time_s)
            for face in faces
        ]

    def without_aus(self, face: DetectedFace) -> Face:
        return Face(face.box, face.landmarks, face.track_id, face.pose, unit(None))

    def apply_filters(self, result: FrameResult) -> FrameResult:
        return result

    def close(self) -> None:
        pass


class FedSource(Source):
    """Gives the frames that a test puts in; ``None`` ends it, an error is raised."""

    live = True

    def __init__(self) -> None:
        self.name, self.fps = "camera", 30.0
        self.items: queue.Queue[Frame | Exception | None] = queue.Queue()
        self._count = 0

    def feed(self, gap_s: float = 0.0) -> None:
        index, self._count = self._count, self._count + 1
        self.items.put(Frame(index, index / 30, IMAGE, "", time.monotonic(), gap_s=gap_s))

    def end(self, error: Exception | None = None) -> None:
        self.items.put(error)

    def stop(self) -> None:
        self.items.put(None)

    def __iter__(self) -> Iterator[Frame]:
        while (item := self.items.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item


class Film(Source):
    """So many frames, one every ``period_s`` seconds."""

    live = True

    def __init__(self, count: int, period_s: float) -> None:
        self.name, self.fps = "film", 1 / period_s
        self._count, self._period_s = count, period_s

    def __iter__(self) -> Iterator[Frame]:
        start_s = time.monotonic()
        for index in range(self._count):
            due_s = start_s + index * self._period_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            yield Frame(index, index * self._period_s, IMAGE, "", due_s)


class VirtualClock:
    """Stands in for the module ``time``: its time passes when a test says so, however busy the machine is."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._changed = threading.Condition()
        self._until_s: list[float] = []

    @property
    def sleepers(self) -> int:
        return len(self._until_s)

    def monotonic(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        with self._changed:
            until_s = self._now_s + seconds
            self._until_s.append(until_s)
            self._changed.wait_for(lambda: self._now_s >= until_s)
            self._until_s.remove(until_s)
            self._changed.notify_all()

    def advance(self, seconds: float) -> None:
        """Returns when everybody whose time has come is awake."""
        with self._changed:
            self._now_s += seconds
            self._changed.notify_all()
            self._changed.wait_for(lambda: all(until_s > self._now_s for until_s in self._until_s))


class LockStep(Source):
    """So many frames, one every ``period_s`` of a virtual clock, each when the threads have done what they can do before."""

    live = True

    def __init__(
        self, count: int, period_s: float, clock: VirtualClock, settled: Callable[[int], bool]
    ) -> None:
        self.name, self.fps = "lock step", 1 / period_s
        self._count, self._period_s, self._clock, self._settled = count, period_s, clock, settled

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._count):
            while not self._settled(index):
                time.sleep(0.0002)
            self._clock.advance(self._period_s)
            yield Frame(index, index * self._period_s, IMAGE, "", self._clock.monotonic())
        self._clock.advance(10.0)


@pytest.fixture
def slack() -> float:
    """What a time may be multiplied with on a machine that has more to do than processors."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.fixture
def stages() -> type[Stages]:
    return Stages


@pytest.fixture
def fed_source() -> FedSource:
    return FedSource()


@pytest.fixture
def film() -> type[Film]:
    return Film


@pytest.fixture
def virtual_clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """The clock of live pipelines that are started from now on."""
    clock = VirtualClock()
    monkeypatch.setattr("edgeau.live.run.time", clock)
    return clock


@pytest.fixture
def lock_step() -> type[LockStep]:
    return LockStep
