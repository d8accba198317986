"""Blendshapes and the direction of the eyes: off by themselves, in every output when on, and held against MediaPipe's program and mirrors."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline, open_source
from edgeau.errors import InputError, UsageError
from edgeau.faces.eye_direction import eye_direction
from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.litert.blendshapes import NAMES
from edgeau.faces.optional_outputs import OptionalOutputs
from edgeau.sinks import open_sink
from edgeau.sinks.tables import OpenFaceCsv


@pytest.fixture(scope="module")
def portrait(root: Path) -> np.ndarray:
    return cv2.imread(str(root / "docs" / "portrait.jpg"))


@pytest.fixture(scope="module")
def points(portrait: np.ndarray) -> np.ndarray:
    with open_landmarker(static=True) as landmarker:
        (found,) = landmarker.detect(portrait)
    return found


@pytest.fixture(scope="module")
def task(shared_data: Path) -> Path:
    file = shared_data / "face_landmarker.task"
    if not file.is_file():
        pytest.skip("needs Google's face_landmarker.task in ../shared/data")
    return file


def turned(points: np.ndarray, *, right: float = 0.0, down: float = 0.0) -> np.ndarray:
    """The irises of both eyes moved by shares of the eyes' width."""
    moved = points.copy()
    for iris, outer, inner in ((slice(468, 473), 33, 133), (slice(473, 478), 263, 362)):
        width = np.linalg.norm(points[outer] - points[inner])
        moved[iris, :2] += width * np.array([right, down])
    return moved


def test_eyes_follow_the_irises(points: np.ndarray) -> None:
    ahead = eye_direction(points)
    assert abs(ahead.yaw) < 15
    assert abs(ahead.pitch) < 15
    assert eye_direction(turned(points, right=0.1)).yaw - ahead.yaw == pytest.approx(15, abs=3)
    assert eye_direction(turned(points, right=-0.1)).yaw - ahead.yaw == pytest.approx(-15, abs=3)
    assert eye_direction(turned(points, down=0.1)).pitch - ahead.pitch == pytest.approx(-15, abs=3)


def test_a_mirrored_picture_looks_the_other_way(portrait: np.ndarray, points: np.ndarray) -> None:
    with open_landmarker(static=True) as landmarker:
        (mirrored,) = landmarker.detect(np.ascontiguousarray(portrait[:, ::-1]))
    ahead, other = eye_direction(points), eye_direction(mirrored)
    assert other.yaw == pytest.approx(-ahead.yaw, abs=3)
    assert other.pitch == pytest.approx(ahead.pitch, abs=3)


def test_closed_eyes_have_no_direction_and_a_mesh_without_irises_is_refused(points: np.ndarray) -> None:
    closed = points.copy()
    closed[[159, 386]] = closed[[145, 374]]
    assert eye_direction(closed) is None
    with pytest.raises(InputError, match="irises"):
        eye_direction(points[:468])


def test_they_are_off_unless_asked_for(portrait: np.ndarray) -> None:
    with Pipeline.load(threads=1) as pipeline:
        result = pipeline.process(portrait)
    assert pipeline.optional_outputs == ()
    assert result.faces[0].eyes is None
    assert result.faces[0].blendshapes is None
    assert not {"eyes", "blendshapes"} & set(result.to_dict()["faces"][0])
    with pytest.raises(UsageError, match="no optional output 'gaze'; there are blendshapes, eyes"):
        OptionalOutputs(["gaze"])
    with pytest.raises(UsageError, match=r"given as a list, such as \['eyes'\]"):
        OptionalOutputs("eyes")


def test_every_output_has_them(task: Path, portrait: np.ndarray, tmp_path: Path) -> None:
    with Pipeline.load(threads=1, landmarker_model=task, also=("eyes", "blendshapes")) as pipeline:
        result = pipeline.process(portrait)
        with (
            open_sink(tmp_path / "a.jsonl", pipeline) as lines,
            open_sink(tmp_path / "a.csv", pipeline) as table,
        ):
            lines.write(result)
            table.write(result)
    assert pipeline.optional_outputs == ("blendshapes", "eyes")
    face = result.faces[0]
    assert set(face.blendshapes) == set(NAMES[1:])
    assert face.blendshapes["mouthSmileLeft"] > 0.5
    (line,) = (tmp_path / "a.jsonl").read_text().splitlines()
    written = json.loads(line)["faces"][0]
    assert written["blendshapes"]["mouthSmileLeft"] == pytest.approx(
        face.blendshapes["mouthSmileLeft"], abs=1e-4
    )
    assert written["eyes"]["yaw"] == pytest.approx(face.eyes.yaw, abs=0.1)
    (row,) = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    assert float(row["blendshape_mouthSmileLeft"]) == pytest.approx(
        face.blendshapes["mouthSmileLeft"], abs=1e-4
    )
    assert float(row["eye_pitch_degrees"]) == pytest.approx(face.eyes.pitch, abs=0.1)
    frame = pytest.importorskip("pandas") and result.to_dataframe()
    assert frame["blendshape_jawOpen"][0] == face.blendshapes["jawOpen"]
    assert frame["eye_yaw"][0] == face.eyes.yaw


def test_a_table_without_them_has_no_columns_for_them() -> None:
    table = OpenFaceCsv(io.StringIO(), ("AU1",))
    assert not [name for name in table.columns if name.startswith(("eye_", "blendshape_"))]


def test_blendshapes_of_a_real_video_are_those_of_mediapipes_program(task: Path, shared_data: Path) -> None:
    """Whole beside whole: landmarks and weights by edgeau, and by mediapipe 0.10.21, which sends nothing."""
    mediapipe = pytest.importorskip("mediapipe")
    vision = pytest.importorskip("mediapipe.tasks.python.vision")
    with open_source(str(shared_data / "real-face.mp4")) as video:
        frames = [frame.image for frame in video if frame.index % 40 == 0]
    assert len(frames) > 10
    base = mediapipe.tasks.BaseOptions(model_asset_path=str(task))
    options = vision.FaceLandmarkerOptions(base_options=base, output_face_blendshapes=True)
    ours, theirs = [], []
    with (
        vision.FaceLandmarker.create_from_options(options) as landmarker,
        Pipeline.load(threads=1, landmarker_model=task, also=("blendshapes",)) as pipeline,
    ):
        for frame in frames:
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(frame[:, :, ::-1]))
            (found,) = landmarker.detect(image).face_blendshapes
            theirs.append([one.score for one in found if one.category_name != "_neutral"])
            ours.append(list(pipeline.process(frame).faces[0].blendshapes.values()))
    apart = np.abs(np.array(ours) - np.array(theirs))
    print(
        f"{len(frames)} frames: mean {apart.mean():.5f}, 99th percentile {np.percentile(apart, 99):.4f}, largest {apart.max():.4f}"
    )
    assert apart.mean() < 0.005
    assert np.percentile(apart, 99) < 0.05
