"""Points of a shrunk frame lie where they are in the frame, to a fraction of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeau.faces.landmarks.detection_frame import in_larger_frame, shrunk


def middle(picture: np.ndarray) -> np.ndarray:
    """Centre of gravity of the light, x y; the centre of the first pixel is at 0, 0."""
    light = picture[..., 0].astype(np.float64)
    down, across = np.indices(light.shape)
    return np.array([(light * across).sum(), (light * down).sum()]) / light.sum()


def spot(height: int, width: int, x: float, y: float, size: float) -> np.ndarray:
    down, across = np.mgrid[:height, :width]
    light = 255 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * size**2))
    return np.repeat(light[..., None], 3, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize(
    ("width", "factor"), [(1280, 1), (2559, 1), (2560, 2), (3901, 2), (5119, 2), (5121, 4), (7680, 4)]
)
def test_a_spot_is_found_where_it_is(width: int, factor: int) -> None:
    frame = spot(400, width, 700.25, 151.5, 12.0 * max(factor, 2))
    small, by = shrunk(frame)
    assert by == factor
    assert small.shape == (400 // factor, width // factor, 3)
    found = in_larger_frame(np.array([[*middle(small), 2.0]], np.float32), by, by)
    np.testing.assert_allclose(found, [[*middle(frame), 2.0 * factor]], atol=0.02)


def test_sides_may_be_shrunk_by_different_numbers() -> None:
    frame = spot(360, 1280, 500.75, 151.5, 24.0)
    small = cv2.resize(frame, (640, 270), interpolation=cv2.INTER_AREA)
    found = in_larger_frame(np.array([[*middle(small), 0.0]], np.float32), 1280 / 640, 360 / 270)
    np.testing.assert_allclose(found[0, :2], middle(frame), atol=0.05)
