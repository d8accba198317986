from __future__ import annotations

import numpy as np
import pytest

from edgeau import open_source
from edgeau.faces.head_pose import _POINTS, _SHAPE, head_pose


def turned(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """A head with MediaPipe's axes (x right, y down, z away): yaw first, then pitch, then roll."""
    p, y, r = np.deg2rad((pitch, yaw, roll))
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[_POINTS] = 0.2 * _SHAPE @ (about_z @ about_x @ about_y).T + (320, 240, 0)
    return landmarks


NOSE_TIP, BETWEEN_EYES, EYE_LEFT, EYE_RIGHT = 1, 168, 33, 263


@pytest.mark.parametrize(
    "pose", [(0, 0, 0), (20, 0, 0), (0, 35, 0), (0, 0, -25), (-15, 40, 12), (60, -70, 100)]
)
def test_a_turned_head_gives_its_angles(pose: tuple[float, float, float]) -> None:
    found = head_pose(turned(*pose))
    np.testing.assert_allclose((found.pitch, found.yaw, found.roll), pose, atol=0.01)


def test_the_signs_are_as_documented() -> None:
    frontal = turned(0, 0, 0)
    up, right, clockwise = turned(20, 0, 0), turned(0, 20, 0), turned(0, 0, 20)
    assert up[NOSE_TIP, 1] - up[EYE_LEFT, 1] < frontal[NOSE_TIP, 1] - frontal[EYE_LEFT, 1]
    assert right[NOSE_TIP, 0] - right[BETWEEN_EYES, 0] > 0
    assert clockwise[EYE_RIGHT, 1] > clockwise[EYE_LEFT, 1]


def test_a_real_face_turns_with_its_picture(astronaut, static_landmarker) -> None:
    upright = head_pose(static_landmarker.detect(astronaut)[0])
    mirrored = head_pose(static_landmarker.detect(np.ascontiguousarray(astronaut[:, ::-1]))[0])
    assert abs(upright.pitch) < 20
    assert (mirrored.yaw, mirrored.roll) == pytest.approx((-upright.yaw, -upright.roll), abs=4)
    assert mirrored.pitch == pytest.approx(upright.pitch, abs=4)


def test_the_rendered_clips_head_turns_as_it_was_posed(clip_poses) -> None:
    """The path that the clip's head was rendered on; its pitch and roll count the other way round."""
    times, found = clip_poses
    posed = np.array([-2 * np.sin(0.9 * times), 7 * np.sin(0.7 * times + 0.4), -1.5 * np.sin(1.1 * times)])
    error = found.T - posed
    assert (np.abs(error).mean(axis=1) < (8, 4, 2)).all()
    # This one face's own build shifts its angles; the motion itself is followed closely.
    assert np.abs(error - np.median(error, axis=1, keepdims=True)).mean(axis=1) == pytest.approx(
        (0, 0, 0), abs=1.5
    )
    assert np.corrcoef(found[:, 1], posed[1])[0, 1] > 0.98


@pytest.fixture
def clip_poses(static_landmarker) -> tuple[np.ndarray, np.ndarray]:
    """Times (N,) and poses (N, 3) of every tenth frame of the packaged clip."""
    times, poses = [], []
    with open_source("clip") as clip:
        for frame in clip:
            if frame.index % 10 == 0:
                pose = head_pose(static_landmarker.detect(frame.image)[0])
                times.append(frame.time_s)
                poses.append((pose.pitch, pose.yaw, pose.roll))
    return np.array(times), np.array(poses)
