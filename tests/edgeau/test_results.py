from __future__ import annotations

import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest

from edgeau import Annotator, Detections, Event, Frame, InputError, Limits, LiveCounters, View
from edgeau.metrics import sigmoid
from edgeau.results import ActionUnit, Box, Face, FaceQuality, FrameResult, HeadPose

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


def test_an_action_unit_that_is_refused_has_a_reason() -> None:
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


def result() -> FrameResult:
    quality = FaceQuality(90.0, 0.2, 120.0, 0.0, {"eyes": 1.0}, frozenset(), {"AU4": "pose"})
    units = {
        "AU12": ActionUnit("AU12", 0.75, True, 0.5, raw=0.7),
        "AU4": ActionUnit("AU4", None, None, reason="pose", experimental=True),
    }
    faces = (
        Face(BOX, LANDMARKS, 3, HeadPose(1, 2, 3), units, quality, 0.2),
        Face(Box(4, 5, 6, 7), LANDMARKS[:468], None, None, units),
    )
    return FrameResult(5, 0.2, 0.01, 1, faces, drops={"late": 1})


def same(one: FrameResult, other: FrameResult) -> bool:
    return one.to_dict(landmarks=True) == other.to_dict(landmarks=True) and one.drops == other.drops


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_results_pickle(protocol: int) -> None:
    found = pickle.loads(pickle.dumps(result(), protocol))
    assert same(found, result())
    assert found.faces[0].quality == result().faces[0].quality
    with pytest.raises(TypeError):
        found.faces[0].aus["AU12"] = None


def test_results_are_copied_deeply_and_become_plain_values() -> None:
    copied = copy.deepcopy(result())
    assert same(copied, result())
    assert copied.faces[0].landmarks is not LANDMARKS
    assert dataclasses.asdict(result())["faces"][0]["aus"]["AU12"]["probability"] == 0.75
    assert same(copy.copy(result()), result())


def test_json_is_what_the_dictionary_is() -> None:
    document = json.loads(result().to_json())
    assert document == result().to_dict()
    assert document["faces"][0]["face_id"] == 3
    assert document["faces"][1]["face_id"] == 1
    assert document["faces"][0]["aus"]["AU4"] == {
        "probability": None,
        "raw": None,
        "active": None,
        "intensity": None,
        "left": None,
        "right": None,
        "reason": "pose",
        "experimental": True,
    }
    assert "landmarks" not in document["faces"][0]
    assert len(json.loads(result().to_json(landmarks=True))["faces"][1]["landmarks"]) == 468


def test_many_faces_are_arrays() -> None:
    assert result().boxes.tolist() == [[0, 0, 1, 1], [4, 5, 6, 7]]
    np.testing.assert_array_equal(result().probabilities, np.array([[0.75, np.nan]] * 2, np.float32))
    assert result().track_ids.tolist() == [3, -1]
    assert result().landmarks.shape == (2, 468, 3)
    empty = FrameResult(0, 0, 0, 0, ())
    assert (empty.track_ids.shape, empty.landmarks.shape) == ((0,), (0, 0, 3))
    assert (empty.boxes.shape, empty.probabilities.shape) == ((0, 4), (0, 0))


def test_the_largest_face_is_the_one_with_the_largest_box() -> None:
    assert result().largest_face is not None
    assert result().largest_face.box == result().faces[1].box
    assert FrameResult(0, 0.0, 0.0, 0, ()).largest_face is None


def test_a_data_frame_has_a_row_a_face() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.concat([result().to_dataframe(), FrameResult(6, 0, 0, 0, ()).to_dataframe()])
    assert len(frame) == 2
    assert frame["face_id"].tolist() == [3, 1]
    assert frame["AU12"].tolist() == [0.75, 0.75]
    assert frame["AU12_active"].tolist() == [True, True]
    assert frame["AU4"].isna().all()
    assert frame["AU4_reason"].tolist() == ["pose", "pose"]
    assert frame["yaw"].tolist()[0] == 2


def test_a_result_is_drawn_onto_a_copy_of_its_picture() -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    before = image.copy()
    points = np.random.default_rng(1).uniform(100, 200, (478, 3)).astype(np.float32)
    face = Face(Box(100, 100, 100, 100), points, None, None, {"AU12": ActionUnit("AU12", 0.6, True)})
    found = FrameResult(0, 0, 0, 0, (face,))
    drawn = found.plot(image, {"AU12": 0.5})
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(drawn, Annotator({"AU12": 0.5}).draw(image, found))
    assert drawn.dtype == np.uint8
    assert drawn.shape[1] > 400
    assert (drawn != found.plot(image)).any(), "the threshold is a tick"
    empty = FrameResult(0, 0, 0, 0, ()).plot(image)
    assert (drawn[:300, :400] != empty[:300, :400]).any(), "the outline"
    for bad in (image[:, :, 0], image.astype(float), None):
        with pytest.raises(InputError, match="BGR"):
            found.plot(bad)


def test_what_else_is_public_and_frozen_travels_too() -> None:
    event = Event("onset", "AU12", 3, 0.2, 0.3, 0.0, 0.9, "began")
    detections = Detections(
        ("AU12",), np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), np.ones((1, 1), bool)
    )
    counters = LiveCounters(captured=3, dropped={"busy": 1})
    for one in (
        event,
        detections,
        counters,
        View(Frame(0, 0.0, np.zeros((2, 2, 3), np.uint8), "a"), result()),
        Limits(),
    ):
        for copied in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
            assert repr(copied) == repr(one)


def test_a_result_is_shown_in_a_line() -> None:
    shown = repr(result())
    assert len(shown) < 250
    assert "AU12" in shown
    assert "track_id=3" in shown


def test_arrays_of_a_result_cannot_be_written_into() -> None:
    """With ``skip`` later frames are compared with what a result holds."""
    logits, points = np.zeros(2, np.float32), LANDMARKS.copy()
    face = Face(BOX, points, None, None, {}, network_logits=logits)
    for array in (face.landmarks, face.network_logits):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    points[0] = 1  # whoever made the face keeps the array that was given
    assert dataclasses.replace(face).landmarks is face.landmarks


def test_numbers_of_numpy_become_plain_ones() -> None:
    found = FrameResult(np.int64(3), np.float32(0.5), 0.0, 0, ())
    assert json.loads(found.to_json()) == {"index": 3, "time_s": 0.5, "faces": []}


def test_a_data_frame_has_the_same_types_where_everything_is_missing() -> None:
    pd = pytest.importorskip("pandas")
    refused = {"AU12": ActionUnit("AU12", None, None, reason="pose")}
    read = {"AU12": ActionUnit("AU12", 0.25, False)}
    frames = [
        FrameResult(0, 0.0, 0.0, 0, (Face(BOX, LANDMARKS, 0, pose, aus),)).to_dataframe()
        for pose, aus in ((None, refused), (HeadPose(1, 2, 3), read))
    ]
    assert (frames[0].dtypes == frames[1].dtypes).all()
    table = pd.concat(frames)
    assert table["AU12"].dtype == table["yaw"].dtype == float
    assert table["AU12"].isna().tolist() == [True, False]


def test_a_label_may_be_named_like_a_column() -> None:
    pytest.importorskip("pandas")
    unit = ActionUnit("mouth_active", 0.25, False)
    table = FrameResult(0, 0, 0, 0, (Face(BOX, LANDMARKS, 0, None, {"mouth_active": unit}),)).to_dataframe()
    assert table["mouth_active"].tolist() == [0.25]
    assert table["mouth_active_active"].tolist() == [False]
