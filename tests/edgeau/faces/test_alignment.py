from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError, RecordError
from edgeau.faces.alignment import Alignment, alignment_matrix, five_points
from edgeau.faces.warp import warp


def mapped(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def test_the_eyes_come_out_level_and_the_box_in_the_middle(astronaut_landmarks: np.ndarray) -> None:
    points = mapped(alignment_matrix(astronaut_landmarks), five_points(astronaut_landmarks))
    assert points[0, 1] == pytest.approx(points[1, 1])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    np.testing.assert_allclose(middle, 255 / 2)
    assert (points.max(axis=0) - points.min(axis=0)).max() == pytest.approx(255 / 2.9)


def test_the_crop_is_the_centre_of_the_canvas(astronaut: np.ndarray, astronaut_landmarks: np.ndarray) -> None:
    canvas = warp(astronaut, alignment_matrix(astronaut_landmarks), 256)
    crop = Alignment().crop(astronaut, astronaut_landmarks)
    # OpenCV warps in steps of 1/32 pixel, which fall differently.
    assert cv2.absdiff(crop, canvas[16:240, 16:240]).mean() < 0.05


@pytest.mark.parametrize("angle", [-40, 15, 90])
def test_a_turned_picture_gives_the_same_crop(
    astronaut: np.ndarray, astronaut_landmarks: np.ndarray, angle: int
) -> None:
    turn = cv2.getRotationMatrix2D((223, 130), angle, 1)
    turned = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    landmarks = astronaut_landmarks.copy()
    landmarks[:, :2] = mapped(turn, landmarks[:, :2])
    difference = cv2.absdiff(
        Alignment().crop(turned, landmarks), Alignment().crop(astronaut, astronaut_landmarks)
    )
    assert difference[40:184, 40:184].mean() < 4


@pytest.mark.parametrize("factor", [3, 5, 8])
def test_a_large_face_is_shrunk_by_area_and_lands_in_the_same_place(
    astronaut: np.ndarray, astronaut_landmarks: np.ndarray, factor: int
) -> None:
    # Each pixel repeated: shrinking by area gives the small picture back, up to the remaining scale. A quarter of a
    # small pixel's shift would be a difference of 1.3.
    small = cv2.GaussianBlur(astronaut, (0, 0), 3)
    large = small.repeat(factor * 2, axis=0).repeat(factor * 2, axis=1)
    landmarks = astronaut_landmarks * (factor * 2)
    landmarks[:, :2] += factor - 0.5  # pixel centres
    found = Alignment().crop(large, landmarks)
    assert cv2.absdiff(found, Alignment().crop(small, astronaut_landmarks)).mean() < 1.0


def test_a_large_face_is_not_aliased(astronaut_landmarks: np.ndarray) -> None:
    landmarks = astronaut_landmarks * 12 - (1200, 0, 0)
    noise = np.random.default_rng(0).integers(0, 256, (3072, 3072, 3), np.uint8)  # deviation 74
    crop = Alignment().crop(noise, landmarks)
    assert crop.std() < 20
    assert crop.mean() == pytest.approx(127, abs=2)


@pytest.mark.parametrize("shift", [-300, 9000])
def test_a_face_outside_of_the_frame_gives_border(astronaut_landmarks: np.ndarray, shift: float) -> None:
    landmarks = astronaut_landmarks * 4
    landmarks[:, :2] += shift * 4
    crop = Alignment().crop(np.zeros((400, 400, 3), np.uint8), landmarks)
    assert (crop == 128).all()


def test_points_that_coincide_are_refused() -> None:
    with pytest.raises(InputError, match="coincide"):
        alignment_matrix(np.ones((468, 3), np.float32))


def test_the_template_survives_a_round_trip_and_another_method_is_refused() -> None:
    template = Alignment(size=112, canvas=128, margin=2.5, border=0)
    assert Alignment.from_dict(template.to_dict()) == template
    with pytest.raises(RecordError, match="method: 'affine' is not known"):
        Alignment.from_dict({**template.to_dict(), "method": "affine"})
