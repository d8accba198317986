"""A recording over changes of source and engine: in time, and no face taken for another."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeau import ActionUnit, Box, Face, FrameResult, Pipeline, open_source
from edgeau_apps.live.recording import Recording
from edgeau_apps.live.session import WebcamSession


def result(index: int, time_s: float, *tracks: int) -> FrameResult:
    units = {"AU12": ActionUnit("AU12", 0.5, True)}
    points = np.zeros((468, 3), np.float32)
    faces = (Face(Box(0, 0, 1, 1), points, track, None, units) for track in tracks)
    return FrameResult(index, time_s, 0.0, 0, tuple(faces))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_another_stream_goes_on_in_time_with_new_faces() -> None:
    now = [100.0]
    recording = Recording(["AU12"], [], clock=lambda: now[0])
    recording.begin_stream()  # nothing was recorded before
    recording.add(result(40, 8.0, 0, 1))
    now[0] += 0.04
    recording.add(result(41, 8.04, 1))
    now[0] += 2.5  # the other source opens
    recording.begin_stream()
    recording.add(result(0, 0.0, 0))
    now[0] += 0.04
    recording.add(result(2, 0.08))
    now[0] += 1
    recording.begin_stream()
    recording.begin_stream()  # a source that gave nothing
    recording.add(result(5, 77.0, 0))
    found = rows(recording.recorded().read())
    recording.close()
    assert [row["frame"] for row in found] == ["1", "1", "2", "3", "5", "6"]
    assert [float(row["timestamp"]) for row in found] == pytest.approx([0, 0, 0.04, 2.54, 2.62, 3.62])
    assert [row["face_id"] for row in found if row["success"] == "1"] == ["0", "1", "1", "2", "3"]


def test_lines_and_events_lie_beside_the_table_and_count_from_zero() -> None:
    now = [0.0]
    recording = Recording(["AU12"], [], clock=lambda: now[0])
    for index in range(100, 140):
        on = 110 <= index < 125
        units = {"AU12": ActionUnit("AU12", 0.9 if on else 0.1, on)}
        face = Face(Box(0, 0, 1, 1), np.zeros((468, 3), np.float32), 4, None, units)
        recording.add(FrameResult(index, index / 10, 0.0, 0, (face,)))
    lines = [json.loads(line) for line in recording.recorded("jsonl").read().splitlines()]
    events = rows(recording.recorded("events").read())
    recording.close()
    assert [line["index"] for line in lines] == list(range(40))
    assert lines[0]["time_s"] == 0
    assert lines[15]["faces"][0]["aus"]["AU12"]["active"] is True
    assert [(event["au"], event["face_id"], event["onset"], event["offset"]) for event in events] == [
        ("AU12", "4", "1.000", "2.500")
    ]


@pytest.fixture
def following() -> WebcamSession:
    def load(artifact: str | None) -> Pipeline:
        return Pipeline.load(artifact=artifact or "model.int8.tflite", threads=1)

    session = WebcamSession(load, lambda: open_source("clip", real_time=True, repeat=True))
    session.start()
    yield session
    session.close()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_recording_outlives_another_artifact_and_another_source(following: WebcamSession) -> None:
    begun = time.monotonic()
    following.record(on=True)

    def recorded(count: int) -> None:
        assert following.recording is not None
        wanted = following.recording.rows + count
        wait_for(lambda: following.recording.rows >= wanted)

    recorded(5)
    following.use_artifact("model.fp32.onnx")
    wait_for(lambda: following.precision() == "fp32")
    recorded(5)
    following.use_source(lambda: open_source("clip", real_time=True))  # a viewer's camera, say
    recorded(5)
    following.record(on=False)
    took_s = time.monotonic() - begun
    found = rows(following.fetch_recording() or b"")
    times = [float(row["timestamp"]) for row in found]
    frames = [int(row["frame"]) for row in found]
    assert len(found) >= 15
    assert times == sorted(times)
    assert frames == sorted(set(frames))
    assert times[-1] - times[0] < took_s + 0.5
    # The clip shows one face: each of the three streams has a number of its own for it.
    assert len({row["face_id"] for row in found if row["success"] == "1"}) >= 3


def test_a_disk_without_room_is_said_and_the_stream_goes_on(following: WebcamSession) -> None:
    wait_for(lambda: following.newest()[1] is not None)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        following.record(on=True)
        wait_for(lambda: not following.is_recording)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "the recording ended" in following.said
    assert all(row["AU12_p"] is not None for row in rows(following.fetch_recording() or b""))
    number = following.newest()[0]
    wait_for(lambda: following.newest()[0] > number + 2)
    assert following.alive


def test_nothing_of_a_recording_lies_about(following: WebcamSession, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    following.record(on=True)
    wait_for(lambda: following.recording.rows > 1)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nobody can take it away, and a kill leaves nothing
