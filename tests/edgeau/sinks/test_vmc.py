"""Avatars: what python-osc's server gets, and the shapes that AUs move."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau.results import ActionUnit, Box, Face, HeadPose
from edgeau.sinks import open_sink
from edgeau.sinks.arkit_shapes import SHAPES_OF, face_shapes

# Apple's ARFaceAnchor.BlendShapeLocation: those with a left and a right one, and the others.
_BOTH = (
    "browDown",
    "browOuterUp",
    "cheekSquint",
    "eyeBlink",
    "eyeLookDown",
    "eyeLookIn",
    "eyeLookOut",
    "eyeLookUp",
    "eyeSquint",
    "eyeWide",
    "mouthDimple",
    "mouthFrown",
    "mouthLowerDown",
    "mouthPress",
    "mouthSmile",
    "mouthStretch",
    "mouthUpperUp",
    "noseSneer",
)
_ONE = (
    "browInnerUp",
    "cheekPuff",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthFunnel",
    "mouthLeft",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "tongueOut",
)
ARKIT = {f"{name}{side}" for name in _BOTH for side in ("Left", "Right")} | set(_ONE)


def face(*units: ActionUnit, pose: HeadPose | None = None) -> Face:
    return Face(Box(0, 0, 9, 9), np.zeros((478, 3), np.float32), 0, pose, {unit.name: unit for unit in units})


@pytest.fixture
def server() -> Iterator[tuple[int, list[tuple[str, tuple]]]]:
    dispatcher = pytest.importorskip("pythonosc.dispatcher").Dispatcher()
    server = pytest.importorskip("pythonosc.osc_server").BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    heard: list[tuple[str, tuple]] = []
    dispatcher.set_default_handler(lambda address, *values: heard.append((address, values)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1], heard
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_shape_is_one_of_the_52() -> None:
    assert len(ARKIT) == 52
    for shapes in SHAPES_OF.values():
        for shape in shapes:
            names = {shape[:-1] + side for side in ("Left", "Right")} if shape.endswith("*") else {shape}
            assert names <= ARKIT


def test_a_receiver_hears_shapes_head_and_apply_in_order(server, description, make_result, until) -> None:
    port, heard = server
    with open_sink(f"vmc://127.0.0.1:{port}", description) as sink:
        sink.write(make_result(3))
        until(lambda: ("/VMC/Ext/Blend/Apply", ()) in heard)
    assert [address for address, _ in heard] == [
        "/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply",
    ]  # fmt: skip
    # The intensity, and nothing for AU1, which was refused.
    assert {values for address, values in heard if address.endswith("Val")} == {
        ("mouthSmileLeft", 0.5),
        ("mouthSmileRight", 0.5),
    }
    name, *numbers = heard[2][1]
    assert name == "Head"
    assert math.hypot(*numbers[3:]) == pytest.approx(1)


def test_vrm_avatars_get_their_spelling_and_an_empty_room_moves_nothing(
    server, description, make_result, until
) -> None:
    port, heard = server
    with open_sink(f"vmc://127.0.0.1:{port}?names=perfect-sync", description) as sink:
        sink.write(make_result(0, faces=0))
        sink.write(make_result(1))
        until(lambda: ("/VMC/Ext/Blend/Apply", ()) in heard)
    assert [address for address, _ in heard[:4]] == ["/VMC/Ext/OK", "/VMC/Ext/T"] * 2
    assert ("/VMC/Ext/Blend/Val", ("MouthSmileLeft", 0.5)) in heard


def test_a_one_sided_smile_moves_one_side() -> None:
    smile = ActionUnit("AU12", 0.8, active=True, left=0.8, right=0.2)
    assert face_shapes(face(smile)) == pytest.approx({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.2})
    right = ActionUnit("AU12R", 0.6, active=True)
    assert face_shapes(face(right)) == {"mouthSmileRight": 0.6}
    both = (ActionUnit("AU26", 0.3, active=False), ActionUnit("AU27", 0.7, active=True))
    assert face_shapes(face(*both)) == {"jawOpen": 0.7}
    assert (
        face_shapes(face(ActionUnit("AU25", 0.9, active=True), ActionUnit("smile", 1.0, active=True))) == {}
    )


@pytest.mark.parametrize(
    ("pose", "turned", "goes"),
    [
        # Unity: x to the avatar's right, y up, z ahead. Where the nose (ahead) or the crown (up) goes.
        (HeadPose(30, 0, 0), (0, 0, 1), (0, 0.5, math.sqrt(0.75))),
        (HeadPose(0, 30, 0), (0, 0, 1), (-0.5, 0, math.sqrt(0.75))),
        (HeadPose(0, 0, 30), (0, 1, 0), (-0.5, math.sqrt(0.75), 0)),
    ],
)
def test_the_avatar_turns_as_the_person_does(pose: HeadPose, turned, goes) -> None:
    from edgeau.sinks.vmc import head_rotation

    x, y, z, w = head_rotation(pose)
    axis = np.array((x, y, z))
    # Unity's axes are left-handed; the formula of a rotated vector is the same in its own handedness.
    rotated = turned + 2 * np.cross(axis, np.cross(axis, turned) + w * np.array(turned))
    assert rotated == pytest.approx(goes, abs=1e-6)


def test_an_unknown_spelling_is_refused(description) -> None:
    with pytest.raises(UsageError, match="names must be arkit or perfect-sync"):
        open_sink("vmc://127.0.0.1?names=vrchat", description)


TASK = Path(__file__).resolve().parents[4] / "shared" / "data" / "face_landmarker.task"


@pytest.mark.skipif(not TASK.is_file(), reason="face_landmarker.task in ../shared/data is not here")
def test_blendshapes_are_mediapipes_own(root) -> None:
    """Beside MediaPipe's own task on one picture: the same landmarks, the same weights."""
    vision = pytest.importorskip("mediapipe.tasks.python.vision")
    import cv2
    import mediapipe

    from edgeau.faces.landmarks.litert.blendshapes import NAMES, Blendshapes

    picture = cv2.imread(str(root / "docs" / "portrait.jpg"))
    base = mediapipe.tasks.BaseOptions(model_asset_path=str(TASK))
    options = vision.FaceLandmarkerOptions(base_options=base, output_face_blendshapes=True)
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        image = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(picture[:, :, ::-1]))
        found = landmarker.detect(image)
    height, width = picture.shape[:2]
    points = np.array([(p.x * width, p.y * height, 0) for p in found.face_landmarks[0]], np.float32)
    theirs = {one.category_name: one.score for one in found.face_blendshapes[0]}
    assert tuple(theirs) == NAMES
    assert set(NAMES[1:]) <= ARKIT
    ours = Blendshapes(TASK).of(points)
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=1e-5)
    assert ours["mouthSmileLeft"] > 0.5


@pytest.mark.skipif(not TASK.is_file(), reason="face_landmarker.task in ../shared/data is not here")
def test_an_avatar_by_blendshapes_gets_all_but_the_tongue(server, description, make_result, until) -> None:
    port, heard = server
    with open_sink(f"vmc://127.0.0.1:{port}?shapes={TASK}", description) as sink:
        sink.write(make_result(3))
        until(lambda: ("/VMC/Ext/Blend/Apply", ()) in heard)
    assert {values[0] for address, values in heard if address.endswith("Val")} == ARKIT - {"tongueOut"}


def test_a_file_without_blendshapes_is_refused(description, tmp_path) -> None:
    with pytest.raises(InputError, match="holds no blendshapes"):
        open_sink(f"vmc://127.0.0.1?shapes={tmp_path}", description)
