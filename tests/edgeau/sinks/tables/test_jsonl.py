"""One line a frame, everything in it readable without this library."""

from __future__ import annotations

import io
import json

import numpy as np

from edgeau.results import ActionUnit, Box, Face, FrameResult, HeadPose
from edgeau.sinks.tables import JsonLines


def lines(*results: FrameResult, **options) -> list[dict]:
    stream = io.StringIO()
    table = JsonLines(stream, **{"trained": True, **options})
    for result in results:
        table.write(result)
    assert stream.getvalue().count("\n") == len(results)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def a_face(**changes) -> Face:
    unit = ActionUnit("AU12", 0.75, active=True, intensity=0.5)
    refused = ActionUnit("AU4", None, None, reason="pose", experimental=True)
    fields = {
        "box": Box(10, 20, 30, 40),
        "landmarks": np.ones((478, 3), np.float32),
        "track_id": None,
        "pose": None,
        "aus": {"AU4": refused, "AU12": unit},
    }
    return Face(**{**fields, **changes})


def test_a_frame_is_one_line_with_everything_about_its_faces() -> None:
    pose = HeadPose(1, -2, 3)
    (line,) = lines(FrameResult(3, 0.125, 0, 0, (a_face(track_id=9, pose=pose),)))
    assert line == {
        "index": 3,
        "time_s": 0.125,
        "trained": True,
        "faces": [
            {
                "face_id": 9,
                "box": {"left": 10.0, "top": 20.0, "width": 30.0, "height": 40.0},
                "pose": {"pitch": 1.0, "yaw": -2.0, "roll": 3.0},
                "aus": {
                    "AU4": {
                        "probability": None,
                        "raw": None,
                        "active": None,
                        "intensity": None,
                        "left": None,
                        "right": None,
                        "reason": "pose",
                        "experimental": True,
                    },
                    "AU12": {
                        "probability": 0.75,
                        "raw": 0.75,
                        "active": True,
                        "intensity": 0.5,
                        "left": None,
                        "right": None,
                        "reason": None,
                        "experimental": False,
                    },
                },
            }
        ],
    }


def test_a_frame_without_a_face_is_a_line_too() -> None:
    (line,) = lines(FrameResult(0, 0.0, 0, 0, ()))
    assert line["faces"] == []


def test_every_line_of_an_untrained_network_says_so() -> None:
    both = lines(FrameResult(0, 0.0, 0, 0, ()), FrameResult(1, 0.1, 0, 0, (a_face(),)), trained=False)
    assert [line["trained"] for line in both] == [False, False]


def test_landmarks_are_there_when_asked_for() -> None:
    (line,) = lines(FrameResult(0, 0.0, 0, 0, (a_face(), a_face())), landmarks=True)
    assert [face["face_id"] for face in line["faces"]] == [0, 1]
    assert line["faces"][0]["landmarks"] == [[1.0, 1.0, 1.0]] * 478
    (line,) = lines(FrameResult(0, 0.0, 0, 0, (a_face(),)))
    assert "landmarks" not in line["faces"][0]
