import numpy as np
import pytest

from edgeau_training.augmentation import CANVAS, Augmentation, CropView, centre_cut, random_cut, vary

STILL = Augmentation.none()


def picture():
    return np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)


def test_the_centre_cut_at_224_is_the_deployed_crop():
    np.testing.assert_allclose(centre_cut(CropView(224, 224)), [[1, 0, -16], [0, 1, -16]])


@pytest.mark.parametrize(("pixels", "field"), [(96, 160), (192, 224), (224, 224)])
def test_a_cut_spans_its_field(pixels, field):
    matrix = centre_cut(CropView(pixels, field))
    low = (CANVAS - field) / 2 - 0.5  # outer edge of the first pixel
    np.testing.assert_allclose(matrix @ (low, low, 1), (-0.5, -0.5), atol=1e-9)
    np.testing.assert_allclose(matrix @ (low + field, low + field, 1), (pixels - 0.5,) * 2, atol=1e-9)


def test_without_strength_nothing_changes():
    matrix, flip = random_cut(np.random.default_rng(0), STILL, CropView(96, 160))
    np.testing.assert_allclose(matrix, centre_cut(CropView(96, 160)))
    assert not flip
    assert np.array_equal(vary(np.random.default_rng(0), STILL, picture()), picture())


def test_a_mirrored_cut_mirrors_about_the_centre():
    mirrored = Augmentation(shift=0, rotation=0, zoom=0, stretch=0, flip=1)
    matrix, flip = random_cut(np.random.default_rng(0), mirrored, CropView(224, 224))
    assert flip
    np.testing.assert_allclose(
        matrix @ (100, 50, 1), centre_cut(CropView(224, 224)) @ (CANVAS - 1 - 100, 50, 1)
    )


def test_shifts_stay_inside_the_published_crop():
    options = Augmentation(rotation=0, zoom=0, stretch=0, flip=0)
    shifts = [
        random_cut(np.random.default_rng(seed), options, CropView(224, 224))[0][:, 2] + 16
        for seed in range(200)
    ]
    assert np.abs(shifts).max() <= 16
    assert np.ptp(shifts, axis=0).min() > 25


def test_the_generator_alone_decides_the_picture():
    first, again, other = (vary(np.random.default_rng(seed), Augmentation(), picture()) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_effect_keeps_shape_and_type():
    every = Augmentation(grey=0, shade=1, blur=1, noise=1, compress=1, erase=1)
    for seed in range(20):
        varied = vary(np.random.default_rng(seed), every, picture())
        assert varied.shape == (96, 96, 3)
        assert varied.dtype == np.uint8
