from __future__ import annotations

import numpy as np
import pytest

from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.sides import SidedAnswers, figures, mirrored_faces


def answers(sides: np.ndarray, truth: np.ndarray, mirrored: np.ndarray | None = None) -> SidedAnswers:
    sides = np.float32(sides)
    return SidedAnswers(
        ("AU2",),
        np.asarray(truth, bool)[..., None],
        sides.max(axis=1)[..., None],
        sides[..., None],
        np.array([0.5]),
        (sides if mirrored is None else np.float32(mirrored))[..., None],
    )


def test_a_side_that_is_taken_for_the_other_is_counted_once_and_both_sides_are_not_wrong() -> None:
    found = figures(
        answers(
            [[0.9, 0.1], [0.1, 0.9], [0.8, 0.7], [0.9, 0.8], [0.2, 0.1]],
            [[1, 0], [1, 0], [1, 0], [1, 1], [0, 1]],
        )
    )
    assert found["one_sided"] == 4
    assert found["wrong_side"] == 1
    assert found["both_sides"] == 1
    # Of ten half faces six were present; six were decided, four of them rightly.
    assert found["f1_side"] == pytest.approx(2 * 4 / (6 + 6))
    assert found["f1_whole"] == pytest.approx(2 * 4 / (4 + 5))


def test_a_mirror_that_changes_nothing_but_sides_costs_nothing() -> None:
    sides = np.array([[0.9, 0.1], [0.3, 0.6]])
    truth = np.array([[1, 0], [0, 1]])
    assert figures(answers(sides, truth))["mirror_mean"] == 0
    assert figures(answers(sides, truth, sides - 0.1))["mirror_mean"] == pytest.approx(0.1, abs=1e-6)
    assert figures(answers(sides, truth, sides - 0.1))["mirror_between_sides_mean"] == pytest.approx(
        0, abs=1e-6
    )


def test_a_face_mirrored_twice_is_the_same() -> None:
    random = np.random.default_rng(0)
    mirror = np.arange(468)
    mirror[[1, 5]] = mirror[[5, 1]]
    points = random.uniform(0, 255, (2, 478, 3)).astype(np.float32)
    pictures = [random.integers(0, 256, (8, 256, 3), np.uint8) for _ in range(2)]
    batch = FaceBatch(points, np.zeros((2, 1), np.int8), pictures)
    once = mirrored_faces(batch, mirror)
    assert np.allclose(once.landmarks[:, 1, 0], 255 - points[:, 5, 0])
    assert np.allclose(once.landmarks[:, 468, 0], 255 - points[:, 473, 0])
    assert np.array_equal(once.pictures[0], pictures[0][:, ::-1])
    twice = mirrored_faces(once, mirror)
    assert np.allclose(twice.landmarks, points, atol=1e-4)
    assert np.array_equal(twice.pictures[1], pictures[1])


def test_each_face_is_mirrored_in_a_picture_of_its_own_width() -> None:
    points = np.full((2, 468, 3), 10, np.float32)
    pictures = [np.zeros((8, width, 3), np.uint8) for width in (100, 40)]
    mirrored = mirrored_faces(FaceBatch(points, np.zeros((2, 1), np.int8), pictures), np.arange(468))
    assert mirrored.landmarks[:, 0, 0].tolist() == [89, 29]
