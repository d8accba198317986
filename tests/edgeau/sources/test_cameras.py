"""Cameras of boards: picamera2 by a stand-in of its interface, Argus by its pipeline's text, USB by what is said."""

from __future__ import annotations

import sys
import time
import types
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import DependencyError, InputError, UsageError
from edgeau.sources import open_source
from edgeau.sources.camera import board
from edgeau.sources.jetson_camera import argus_pipeline


def test_picamera2_gives_a_large_picture_and_a_small_one_of_the_same_view(picamera2) -> None:
    with open_source("picamera2", size=(1296, 972)) as source:
        frames = iter(source)
        first, second = next(frames), next(frames)
        assert source.fps == 30
    assert first.image.shape == (972, 1296, 3)
    assert first.small.shape == (480, 640, 3)
    assert first.image[0, 0].tolist() == [101, 0, 0]
    np.testing.assert_allclose(first.small[0, 639], (101, 0, 0), atol=3)
    assert second.index == 1
    assert second.time_s > 0
    camera = picamera2.opened[0]
    assert (camera.configuration["queue"], camera.configuration["controls"]) == (False, {"FrameRate": 30.0})


def test_picamera2_frames_carry_the_sensors_time(picamera2) -> None:
    with open_source("picamera2", reconnect=False) as source:
        frame = next(iter(source))
        assert 0.02 <= time.monotonic() - frame.captured_s < 0.5


def test_a_small_picamera2_picture_needs_no_smaller_one(picamera2) -> None:
    with open_source("picamera2", size=(640, 480)) as source:
        assert next(iter(source)).small is None
    assert picamera2.opened[0].configuration["lores"] is None


def test_a_picamera2_camera_is_closed_and_its_requests_released(picamera2) -> None:
    with open_source("picamera2") as source:
        for frame in source:
            if frame.index == 10:
                break
    camera = picamera2.opened[0]
    assert camera.closed
    assert camera.outstanding == 0


def test_the_csi_camera_is_the_boards_own(picamera2, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeau.sources.opening.board", lambda: "raspberrypi")
    with open_source("csi") as source:
        assert source.name == "picamera2 camera 0"
    monkeypatch.setattr("edgeau.sources.opening.board", lambda: "jetson")
    with pytest.raises(DependencyError, match="OpenCV with GStreamer"):
        open_source("csi")


def test_a_picamera2_camera_that_is_not_there_is_said(picamera2) -> None:
    with pytest.raises(InputError, match=r"no camera at number 1.*rpicam-hello --list-cameras"):
        open_source("picamera2:1")


def test_a_size_that_a_picamera2_camera_does_not_take_is_said_and_the_camera_let_go(
    picamera2, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object, configuration: object) -> None:
        raise RuntimeError(f"cannot configure {configuration}")

    monkeypatch.setattr(picamera2, "configure", refuse)
    with pytest.raises(InputError, match="camera 0 does not take 9000 x 4000 pixels at 30 frames a second"):
        open_source("picamera2", size=(9000, 4000))
    assert picamera2.opened[0].closed


def test_without_picamera2_the_message_says_how_to_get_it() -> None:
    with pytest.raises(DependencyError, match=r"apt install -y python3-picamera2.*--system-site-packages"):
        open_source("picamera2")


def test_a_picamera2_built_for_another_numpy_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(types.ModuleType):
        def __getattr__(self, name: str) -> None:
            raise ValueError("numpy.dtype size changed")

    monkeypatch.setitem(sys.modules, "picamera2", Broken("picamera2"))
    with pytest.raises(DependencyError, match="numpy"):
        open_source("picamera2")


def test_argus_asks_for_gstreamer_where_opencv_has_none() -> None:
    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    with pytest.raises(DependencyError, match=r"apt install python3-opencv"):
        open_source("argus")


def test_argus_keeps_only_the_newest_frame() -> None:
    text = argus_pipeline(1, (1280, 720), 30.0)
    assert text.startswith("nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM), width=1280, height=720")
    assert text.endswith("video/x-raw, format=BGR ! appsink drop=true max-buffers=1 sync=false")


def test_an_argus_camera_that_does_not_answer_says_what_to_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda _: True)
    with pytest.raises(InputError, match=r"sensor 2.*not a Jetson.*nvargus-daemon"):
        open_source("argus:2")


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberrypi"),
        ("NVIDIA Jetson Orin Nano Developer Kit", "jetson"),
        ("a laptop", None),
    ],
)
def test_the_board_is_read_from_the_device_tree(tmp_path: Path, text: str, is_: str | None) -> None:
    (tmp_path / "model").write_text(text + "\0")
    assert board(tmp_path / "model") == is_
    assert board(tmp_path / "nothing") is None


@pytest.mark.parametrize("what", ["/dev/video97", 97])
def test_a_usb_camera_that_is_not_there_is_said(what: str | int) -> None:
    with pytest.raises(InputError, match="no camera answers at number 97"):
        open_source(what)


def test_a_board_with_a_ribbon_camera_is_told_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeau.sources.camera.board", lambda: "raspberrypi")
    with pytest.raises(InputError, match="picamera2"):
        open_source(97)


@pytest.mark.parametrize(
    ("what", "options", "says"),
    [
        ("clip", {"size": (640, 480)}, "size is for cameras"),
        (0, {"real_time": True}, "live already"),
        ("clip", {"repeat": True}, "real_time"),
        ("clip", {"fps": 0}, "fps must be more than 0"),
        ("rtsp://127.0.0.1:9/x", {"size": (640, 480)}, "the size that its server gives"),
    ],
)
def test_options_that_do_not_fit_are_refused(what: object, options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_source(what, **options)
