"""The command's errors, and the window's drawing without a screen."""

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_apps.live.command import main
from edgeau_apps.live.serve.listening import parse_address
from edgeau_apps.live.serve.viewer_camera import ViewerCamera, decoded
from edgeau_apps.live.session import SECONDS, History


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "missing.mp4"], "missing.mp4"),
        (["--source", "clip", "--serve", "nonsense"], "HOST:PORT"),
        (["--source", "clip", "--bundle", "missing/", "--serve"], "missing"),
        (["--sauce", "clip"], "--help"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, words, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_addresses():
    assert parse_address("127.0.0.1:80") == ("127.0.0.1", 80)
    assert parse_address(":8765") == ("127.0.0.1", 8765)
    assert parse_address("[::1]:8765") == ("::1", 8765)
    for text in ("", "host", "host:0", "host:99999", "host:x"):
        with pytest.raises(UsageError):
            parse_address(text)


def test_pictures_of_a_viewer_are_measured_before_they_are_unpacked():
    image = np.zeros((48, 64, 3), np.uint8)
    content = cv2.imencode(".jpg", image)[1].tobytes()
    assert decoded(content).shape == image.shape
    for bad in (b"", b"\xff\xd8", content[:100], b"GIF89a" + b"\x00" * 50):
        with pytest.raises(InputError):
            decoded(bad)


@pytest.mark.parametrize(
    "before", [b"", b"\xff\x01", b"\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03" + bytes(9), b"\xff\x00 any"]
)
def test_a_viewers_picture_that_unpacks_to_gigabytes_is_refused(before: bytes):
    content = bytearray(cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes())
    place = content.index(b"\xff\xc0")
    content[place + 5 : place + 9] = (30_000).to_bytes(2, "big") * 2
    with pytest.raises(InputError, match="30000 x 30000 pixels is too large"):
        decoded(bytes(content[:2]) + before + bytes(content[2:]))


def test_the_newest_picture_of_a_viewer_wins():
    camera = ViewerCamera()
    for value in (1, 2, 3):
        camera.give(np.full((4, 4, 3), value, np.uint8))
    frames = iter(camera)
    assert next(frames).image[0, 0, 0] == 3
    camera.stop()
    assert next(frames, None) is None


def test_history_keeps_the_last_seconds():
    from edgeau.results import ActionUnit, Box, Face, FrameResult

    history = History()
    for step in range(200):
        unit = ActionUnit("AU12", step / 200, False)
        face = Face(Box(0, 0, 1, 1), np.zeros((468, 3), np.float32), 7, None, {"AU12": unit})
        history.add(FrameResult(step, step / 10, 0.0, 0, (face,)))
    points = history.of(7, "AU12")
    assert points[-1] == (0, 199 / 200)
    assert points[0][0] >= -SECONDS
    assert history.of(8, "AU12") == []
