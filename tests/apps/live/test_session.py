"""What takes seconds beside a stream does not stop it, and a change of artifact takes nothing away."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edgeau import Box, Face, FrameResult, Pipeline, open_source
from edgeau.bundle import Timing, packaged_bundle_path, time_artifacts
from edgeau.errors import BundleError, EngineError, InputError
from edgeau.live import LivePipeline, View
from edgeau.sources import Source
from edgeau.sources.paced import PacedSource
from edgeau_apps.live import session as sessions
from edgeau_apps.live.calibration import BaselineCalibration, CalibratedFace
from edgeau_apps.live.serve.viewer_camera import ViewerCamera
from edgeau_apps.live.session import WebcamSession


@pytest.fixture
def sitter(tmp_path: Path) -> Callable[[], PacedSource]:
    """A camera in front of somebody who keeps still."""
    with open_source("clip") as clip:
        frame = next(iter(clip)).image
    path = tmp_path / "sitter.png"
    cv2.imwrite(str(path), frame)
    return lambda: PacedSource(lambda: open_source(path), fps=12, repeat=True)


@pytest.fixture
def session(sitter: Callable[[], PacedSource]) -> Iterator[WebcamSession]:
    def load(artifact: str | None) -> Pipeline:
        return Pipeline.load(artifact=artifact or "model.int8.tflite", threads=1, max_faces=1)

    one = WebcamSession(load, sitter)
    one.start()
    wait_for(lambda: one.newest()[1] is not None)
    yield one
    one.close()


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_engines_are_measured_beside_the_stream(
    session: WebcamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here measuring ends only when results have come meanwhile, also recorded ones: it can hold nothing that they need."""
    session.record(on=True)
    rows: list[list[Timing]] = []
    began, seen = threading.Event(), threading.Event()

    def measure(*given: object, **options: object) -> list[Timing]:
        began.set()
        assert seen.wait(120)
        return time_artifacts(
            session.bundle, session.bundle.artifacts("model.int8.tflite"), threads=(1,), seconds=0.1
        )

    monkeypatch.setattr(sessions, "time_artifacts", measure)
    measuring = in_background(lambda: rows.append(session.artifacts()))
    assert began.wait(60)
    number, recorded = session.newest()[0], session.recording.rows
    wait_for(lambda: session.newest()[0] > number + 5 and session.recording.rows > recorded + 5)
    session.record(on=False)
    assert session.fetch_recording()
    seen.set()
    measuring.join(120)
    assert [row.file for row in rows[0]] == ["model.int8.tflite"]
    assert session.artifacts() is rows[0]


def test_an_artifact_loads_beside_the_stream(session: WebcamSession, monkeypatch: pytest.MonkeyPatch) -> None:
    began, seen = threading.Event(), threading.Event()
    load = session._load

    def slow(artifact: str | None) -> Pipeline:
        began.set()
        assert seen.wait(120)
        return load(artifact)

    monkeypatch.setattr(session, "_load", slow)
    changing = in_background(lambda: session.use_artifact("model.fp32.onnx"))
    assert began.wait(60)
    number = session.newest()[0]
    wait_for(lambda: session.newest()[0] > number + 5)
    assert session.precision() == "int8"
    seen.set()
    changing.join(120)
    wait_for(lambda: session.precision() == "fp32")
    number = session.newest()[0]
    wait_for(lambda: session.newest()[0] > number + 2)


def test_what_cannot_be_loaded_leaves_the_one_that_runs(
    session: WebcamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(artifact: str | None) -> Pipeline:
        raise EngineError(f"{artifact} was changed")

    monkeypatch.setattr(session, "_load", refuse)
    with pytest.raises(EngineError, match=r"model.fp32.onnx was changed"):
        session.use_artifact("model.fp32.onnx")
    with pytest.raises(InputError, match="there is no artifact 'none'"):
        session.use_artifact("none")
    number = session.newest()[0]
    wait_for(lambda: session.newest()[0] > number + 3)
    assert session.alive
    assert session.precision() == "int8"


def test_a_file_that_was_changed_meanwhile_is_refused_and_the_stream_goes_on(
    sitter: Callable[[], PacedSource], tmp_path: Path
) -> None:
    folder = shutil.copytree(packaged_bundle_path(), tmp_path / "bundle")

    def load(artifact: str | None) -> Pipeline:
        return Pipeline.load(folder, artifact=artifact or "model.int8.tflite", threads=1, max_faces=1)

    session = WebcamSession(load, sitter)
    session.start()
    wait_for(lambda: session.newest()[1] is not None)
    content = bytearray((folder / "model.fp32.onnx").read_bytes())
    content[5000] ^= 1
    (folder / "model.fp32.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"model.fp32.onnx has changed since it was made"):
        session.use_artifact("model.fp32.onnx")
    number = session.newest()[0]
    wait_for(lambda: session.newest()[0] > number + 3)
    assert session.precision() == "int8"
    session.close()


def test_a_neutral_face_outlives_another_artifact_and_not_another_camera(
    session: WebcamSession, sitter: Callable[[], PacedSource]
) -> None:
    def baselines() -> list[float]:
        return [float(one.shape.sum()) for one in session._pipeline.stages._baselines.values()]

    session.calibrate()
    wait_for(lambda: session.said == "the neutral face is set")
    before = baselines()
    assert len(before) == 1
    session.use_artifact("model.fp32.onnx")
    wait_for(lambda: session.said == "the neutral face is kept")
    assert session.precision() == "fp32"
    assert baselines() == before
    session.use_source(partial(sitter))  # another one, that shows the same
    wait_for(lambda: session.said == "another camera: calibrate again")
    number = session.newest()[0]
    wait_for(lambda: session.newest()[0] > number + 3)
    assert baselines() == []


def test_another_source_that_is_asked_for_while_a_stream_begins_is_taken(
    session: WebcamSession, sitter: Callable[[], PacedSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = threading.Event()
    views = LivePipeline.views

    def other() -> PacedSource:
        opened.set()
        return sitter()

    def asked_meanwhile(live: LivePipeline, source: Source) -> Iterator[View]:
        monkeypatch.setattr(LivePipeline, "views", views)
        in_background(lambda: session.use_source(other))
        time.sleep(0.3)
        return views(live, source)

    monkeypatch.setattr(LivePipeline, "views", asked_meanwhile)
    session.use_source(partial(sitter))
    assert opened.wait(120), "the stream that began was not ended"


def test_a_viewers_camera_outlives_another_artifact(session: WebcamSession) -> None:
    camera, left = ViewerCamera(), threading.Event()

    def film() -> None:
        while not left.wait(0.05):
            camera.give(np.zeros((48, 64, 3), np.uint8))

    def is_seen() -> bool:
        _, view = session.newest()
        return view is not None and view.frame.image.shape == (48, 64, 3)

    filming = in_background(film)
    try:
        session.use_source(camera.open)
        wait_for(is_seen)
        session.use_artifact("model.fp32.onnx")
        wait_for(lambda: session.precision() == "fp32")
        number = session.newest()[0]
        wait_for(lambda: session.newest()[0] > number + 3)
        assert is_seen()
    finally:
        left.set()
        filming.join()
    camera.end()
    wait_for(lambda: not is_seen())
    assert session.alive


def test_a_recording_is_read_beside_the_stream(
    session: WebcamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.record(on=True)
    wait_for(lambda: session.recording.rows > 3)
    pread = os.pread

    def slow(*given: int) -> bytes:
        rows = session.recording.rows
        wait_for(lambda: session.recording.rows > rows + 3)
        session.record(on=True)  # throws away what is being read
        return pread(*given)

    monkeypatch.setattr(os, "pread", slow)
    content = session.fetch_recording("jsonl")
    assert len(content.splitlines()) > 3
    assert content.endswith(b"}\n")


def test_a_calibration_without_a_face_ends_by_the_time_of_its_own_stream() -> None:
    bundle = SimpleNamespace(network_identity=None)
    calibration = BaselineCalibration(SimpleNamespace(landmark_model=object(), bundle=bundle))
    assert [calibration.take(_result(time_s)) for time_s in (500.0, 509.0, 511.0)] == [False, False, True]
    assert calibration.said == "no face was seen: calibrate again"


class _Given:
    """Takes baselines as a pipeline does."""

    def __init__(self) -> None:
        self.tracks: list[int | None] = []

    def use_baseline(self, baseline: object, track_id: int | None) -> None:
        self.tracks.append(track_id)


def _result(time_s: float, **lefts: float) -> FrameResult:
    points = np.zeros((468, 3), np.float32)
    faces = [Face(Box(left, 0, 100, 100), points, int(name[1:]), None, {}) for name, left in lefts.items()]
    return FrameResult(0, time_s, 0.0, 0, tuple(faces))


class _Refusing:
    """Refuses baselines as a pipeline with other weights does."""

    def use_baseline(self, baseline: object, track_id: int | None) -> None:
        raise InputError("collect it again")


def test_a_neutral_face_that_does_not_fit_any_more_is_told_and_ends_nothing() -> None:
    face = CalibratedFace(None, 4, Box(0, 0, 100, 100))
    face.begin_stream()
    assert face.take(_result(0.0, t1=20), _Refusing()) == "collect it again"
    assert face.take(_result(0.1, t1=20), _Refusing()) == ""


def test_of_several_people_the_one_in_the_same_place_is_meant() -> None:
    given = _Given()
    face = CalibratedFace(None, 4, Box(0, 0, 100, 100))
    face.take(_result(0.0, t3=500, t4=20), given)
    face.begin_stream()
    assert face.take(_result(0.0), given) == ""
    assert face.take(_result(0.1, t0=510, t1=50), given) == "the neutral face is kept"
    assert given.tracks == [1]
    assert (
        face.take(_result(0.2, t0=50, t1=510), given) == ""
    )  # people change seats within a stream: numbers follow them
    assert given.tracks == [1]


def test_somebody_else_does_not_get_it() -> None:
    given = _Given()
    face = CalibratedFace(None, 0, Box(0, 0, 100, 100))
    face.begin_stream()
    assert face.take(_result(3.0, t0=300), given) == ""
    assert "calibrate again" in face.take(_result(14.0, t0=300), given)
    assert given.tracks == []


def test_threads_end_before_their_camera_is_closed(sitter: Callable[[], PacedSource]) -> None:
    running: list[str] = []

    class Camera(PacedSource):
        def close(self) -> None:
            running.extend(one.name for one in threading.enumerate() if one.name == "edgeau-landmarks")
            super().close()

    class Failing(WebcamSession):
        def _note(self, result: FrameResult) -> None:
            raise InputError("this result cannot be taken")

    def load(artifact: str | None) -> Pipeline:
        return Pipeline.load(artifact=artifact or "model.int8.tflite", threads=1, max_faces=1)

    one = Failing(load, lambda: Camera(sitter()._open, fps=12, repeat=True))
    one.start()
    wait_for(lambda: one.failure is not None)
    one.close()
    assert running == []
