from __future__ import annotations

import numpy as np
import pytest

from edgeau.faces.procrustes import kabsch_rotation, nearest_rotations


def by_svd(product: np.ndarray) -> np.ndarray:
    left, _, right = np.linalg.svd(product)
    return left @ np.diag((1, 1, np.linalg.det(left @ right))) @ right


def random_products(count: int, positive: bool) -> np.ndarray:
    products = np.random.default_rng(0).normal(0, 1, (count, 3, 3))
    sign = np.sign(np.linalg.det(products)) * (1 if positive else -1)
    return products * sign[:, None, None]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
@pytest.mark.parametrize("positive", [True, False])
def test_it_is_the_one_of_the_singular_value_decomposition(scale: float, positive: bool) -> None:
    products = scale * random_products(300, positive)
    expected = np.stack([by_svd(product) for product in products])
    one_by_one = np.stack([kabsch_rotation(product.tolist()) for product in products])
    np.testing.assert_allclose(one_by_one, expected, atol=1e-6)
    np.testing.assert_allclose(nearest_rotations(products), expected, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(one_by_one), 1, atol=1e-9)


def test_a_rotation_is_its_own() -> None:
    turn = 2.0
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    np.testing.assert_allclose(kabsch_rotation((7 * rotation).tolist()), rotation, atol=1e-12)


def test_flat_points_still_give_a_rotation() -> None:
    product = np.diag((3.0, 2.0, 0.0))
    found = np.array(kabsch_rotation(product.tolist()))
    np.testing.assert_allclose(found[:2, :2], np.eye(2), atol=1e-12)
    assert np.linalg.det(found) == pytest.approx(1)
