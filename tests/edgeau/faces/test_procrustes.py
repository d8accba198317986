from __future__ import annotations

import numpy as np
import pytest

from edgeau.faces.procrustes import kabsch_rotation, kabsch_rotations


def random_rotations(count: int, spread: float = 1e3) -> np.ndarray:
    """Of unit quaternions; the smaller the spread, the nearer to no rotation."""
    quaternions = np.array((1, 0, 0, 0)) + np.random.default_rng(0).normal(0, spread, (count, 4))
    w, x, y, z = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return np.array(rows).transpose(2, 0, 1)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_points_that_were_turned_are_turned_so(scale: float) -> None:
    rotations = random_rotations(200)
    points = np.random.default_rng(1).normal(size=(12, 3))
    products = scale * (points @ rotations.transpose(0, 2, 1)).transpose(0, 2, 1) @ points
    np.testing.assert_allclose(kabsch_rotations(products), rotations, atol=1e-12)
    np.testing.assert_allclose(kabsch_rotations(products[0]), rotations[0], atol=1e-12)


def test_no_rotation_near_it_fits_better_where_the_points_were_mirrored() -> None:
    products = np.random.default_rng(0).normal(size=(200, 3, 3))
    products *= -np.sign(np.linalg.det(products))[:, None, None]
    found = kabsch_rotations(products)
    np.testing.assert_allclose(np.linalg.det(found), 1, atol=1e-9)
    best = (found * products).sum(axis=(1, 2))
    others = ((found @ random_rotations(200, spread=0.05)) * products).sum(axis=(1, 2))
    assert (others < best).all()


def test_a_rotation_is_its_own() -> None:
    rotations = random_rotations(20)
    np.testing.assert_allclose(kabsch_rotations(7 * rotations), rotations, atol=1e-12)


def test_flat_points_still_give_a_rotation() -> None:
    found = kabsch_rotations(np.diag((3.0, 2.0, 0.0)))
    np.testing.assert_allclose(found[:2, :2], np.eye(2), atol=1e-12)
    assert np.linalg.det(found) == pytest.approx(1)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_one_matrix_gives_the_same_rotation(scale: float) -> None:
    random = np.random.default_rng(0)
    near = random_rotations(200) + random.normal(0, 0.1, (200, 3, 3))
    for product in scale * np.concatenate((near, random.normal(size=(200, 3, 3)))):
        np.testing.assert_allclose(kabsch_rotation(product), kabsch_rotations(product), atol=1e-9)


@pytest.mark.parametrize(
    "product",
    [
        np.diag((-5.0, -3.0, 1.0)),  # half a turn, whose quaternion begins with 0
        np.diag((3.0, 2.0, 0.0)),  # flat points
        np.diag((2.0, 2.0, 2.0)),
        np.diag((3.0, 0.0, 0.0)),  # points on a line
        np.zeros((3, 3)),
    ],
)
def test_one_matrix_without_a_clear_rotation_still_gives_the_best(product: np.ndarray) -> None:
    found = kabsch_rotation(product)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(found) == pytest.approx(1)
    assert (found * product).sum() == pytest.approx((kabsch_rotations(product) * product).sum())
