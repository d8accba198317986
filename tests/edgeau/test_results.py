from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgeau.metrics import sigmoid
from edgeau.results import ActionUnit, Box, Face

LANDMARKS = np.zeros((478, 3), np.float32)
BOX = Box(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"probability": 1.2, "active": True}, "probability must be within 0..1, got 1.2"),
        ({"probability": float("nan"), "active": True}, "within 0..1, got nan"),
        ({"probability": 0.5, "active": True, "intensity": -0.1}, "intensity must be within"),
        ({"probability": None, "active": None}, "either a probability or a reason"),
        ({"probability": 0.5, "active": True, "reason": "pose"}, "either a probability or a reason"),
        ({"probability": None, "active": False, "reason": "pose"}, "come together"),
        ({"probability": 0.5, "active": None}, "come together"),
    ],
)
def test_an_action_unit_that_contradicts_itself_is_our_bug(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"AU12: .*{message}"):
        ActionUnit("AU12", **fields)


def test_an_action_unit_that_could_not_be_judged_has_a_reason() -> None:
    refused = ActionUnit("AU12", None, None, reason="pose")
    assert (refused.probability, refused.active, refused.reason) == (None, None, "pose")


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [(LANDMARKS[:400], r"got \(400, 3\)"), (LANDMARKS.astype(float), "float32, got float64")],
)
def test_a_face_checks_its_landmarks(landmarks: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Face(BOX, landmarks, None, None, {})


def test_a_box_has_no_negative_size() -> None:
    with pytest.raises(ValueError, match="-1 x 1"):
        Box(0, 0, -1, 1)


def test_results_cannot_be_changed() -> None:
    face = Face(BOX, LANDMARKS, None, None, {"AU12": ActionUnit("AU12", 0.5, True)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        face.track_id = 3
    with pytest.raises(TypeError):
        face.aus["AU12"] = None


def test_the_sigmoid_holds_for_every_logit() -> None:
    logits = np.array([-1e30, -100, -1, 0, 1, 100, 1e30], np.float32)
    expected = 1 / (1 + np.exp(-np.clip(logits, -700, 700).astype(float)))
    np.testing.assert_allclose(sigmoid(logits), expected, atol=1e-6)
    assert sigmoid(logits).dtype == np.float32
