"""Measures of a crop that mean one thing each."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeau.faces.alignment import Alignment
from edgeau.faces.quality.picture import centre, clipped_share, sharpness


@pytest.fixture(scope="module")
def grey(astronaut, astronaut_landmarks) -> np.ndarray:
    return cv2.cvtColor(centre(Alignment().crop(astronaut, astronaut_landmarks)), cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("kernel", [(1, 0), (0, 1), (1, 1)])
def test_sharpness_falls_with_every_blur_in_any_direction(grey, kernel) -> None:
    blurred = [cv2.blur(grey, (1 + kernel[0] * n, 1 + kernel[1] * n)) for n in (0, 4, 10, 16, 32)]
    values = [sharpness(picture) for picture in blurred]
    assert values[:3] == sorted(values[:3], reverse=True)
    assert max(values[2:]) < 0.145, "strong blur never looks sharp again"


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0), (0.4, 100), (0.7, 10)])
def test_sharpness_does_not_see_light_and_contrast(grey, gain: float, offset: float) -> None:
    assert sharpness((grey * gain + offset).round().astype(np.uint8)) == pytest.approx(
        sharpness(grey), rel=0.06
    )


def test_noise_raises_it(grey) -> None:
    noisy = grey * 0.1 + np.random.default_rng(0).normal(8, 3, grey.shape)
    assert sharpness(np.clip(noisy, 0, 255).astype(np.uint8)) > 2 * sharpness(grey)


def test_one_grey_value_is_not_sharp() -> None:
    assert sharpness(np.full((112, 112), 90, np.uint8)) == 0


def test_a_pixel_is_clipped_when_one_of_its_colours_is() -> None:
    face = np.full((112, 112, 3), 100, np.uint8)
    assert clipped_share(face) == 0
    face[:56, :, 2] = 250
    assert clipped_share(face) == 0.5
    face[:28] = 255
    assert clipped_share(face) == 0.5
