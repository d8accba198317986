from __future__ import annotations

import numpy as np
import pytest

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import InputError


def expected(crops: np.ndarray, spec: InputSpec) -> np.ndarray:
    return ((crops / 255 - spec.mean) / spec.std).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("wanted", ["RGB", "BGR"])
@pytest.mark.parametrize("given", ["RGB", "BGR"])
def test_crops_are_normalised_in_the_networks_colours(given: str, wanted: str) -> None:
    spec = InputSpec(size=(20, 24), color=wanted, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    crops = np.random.default_rng(0).integers(0, 256, (5, 20, 24, 3), np.uint8)
    batch = Preprocessor(spec, given).batch(crops)
    turned = crops if given == wanted else crops[..., ::-1]
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch, expected(turned, spec), atol=1e-5)


def test_a_batch_of_another_length_is_right_too() -> None:
    spec = InputSpec(size=(8, 8))
    preprocessor = Preprocessor(spec)
    crops = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    for count in (1, 4, 2):
        np.testing.assert_allclose(
            preprocessor.batch(crops[:count]), expected(crops[:count], spec), atol=1e-5
        )


@pytest.mark.parametrize(
    ("crops", "message"),
    [
        ([], "no crops"),
        (np.zeros((1, 7, 8, 3), np.uint8), r"\(8, 8, 3\), got uint8 \(7, 8, 3\)"),
        (np.zeros((1, 8, 8, 3), np.float32), "got float32"),
        (np.zeros((8, 8, 3), np.uint8), r"got uint8 \(8, 3\)"),
    ],
)
def test_other_crops_are_refused(crops, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Preprocessor(InputSpec(size=(8, 8))).batch(crops)
