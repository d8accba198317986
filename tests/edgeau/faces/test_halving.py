"""Pictures made smaller by halves, and crops of large faces that are made of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeau.faces.halving import halved, power_of_two
from edgeau.faces.warp import warp


@pytest.mark.parametrize(
    ("scale", "factor"), [(0.1, 1), (1.0, 1), (1.99, 1), (2.0, 2), (3.99, 2), (4.0, 4), (7.9, 4), (70.0, 64)]
)
def test_the_largest_power_of_two(scale: float, factor: int) -> None:
    assert power_of_two(scale) == factor


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_each_pixel_is_the_mean_of_a_square(factor: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (6 * factor, 5 * factor, 3)).astype(np.uint8)
    small = halved(picture, factor)
    means = picture.reshape(6, factor, 5, factor, 3).astype(np.float64).mean(axis=(1, 3))
    assert small.shape == means.shape
    # Each halving rounds, halves up.
    assert np.abs(small - means).max() <= 0.5 * np.log2(factor) + 1e-9


@pytest.mark.parametrize("scale", [1.0, 1.9, 2.0, 2.7, 3.5, 4.0, 5.9, 9.0])
def test_a_crop_shows_the_same_of_a_frame_of_any_size(scale: float) -> None:
    """Wide waves look alike in frames of every size; waves that the crop cannot show do not come back as other waves."""
    side = 200
    large = int(side * scale)

    def seen(wave: float) -> np.ndarray:
        rows, columns = np.mgrid[:large, :large] / scale
        light = 127.5 + 100 * np.sin(2 * np.pi * (rows + columns) / wave)
        frame = np.repeat(light[..., None], 3, axis=2).round().astype(np.uint8)
        shrinks = np.array([[1, 0, (1 / scale - 1) / 2], [0, 1, (1 / scale - 1) / 2]]) * [
            [1 / scale, 1 / scale, 1]
        ]
        return warp(frame, shrinks, side)[20:-20, 20:-20, 0].astype(np.float64)

    down, across = np.mgrid[20 : side - 20, 20 : side - 20]
    expected = 127.5 + 100 * np.sin(2 * np.pi * (down + across + 1 - 1 / scale) / 24)
    assert np.corrcoef(seen(24).ravel(), expected.ravel())[0, 1] > 0.99
    if scale >= 2:
        assert seen(1.3).std() < 30  # without shrinking first it would be 71


def test_a_crop_of_a_part_that_is_smaller_than_the_factor_is_the_border() -> None:
    frame = np.full((3, 3, 3), 9, np.uint8)
    crop = warp(frame, np.array([[0.01, 0, 0], [0, 0.01, 0]]), 8, border=77)
    assert (crop == 77).all()


def test_halving_is_what_opencv_does_by_area() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    np.testing.assert_array_equal(
        halved(picture, 2), cv2.resize(picture, (24, 32), interpolation=cv2.INTER_AREA)
    )
