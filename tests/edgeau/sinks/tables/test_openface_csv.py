"""The CSV has OpenFace's columns in OpenFace's order, one row a face or one that says that there was none."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

from edgeau.results import ActionUnit, Box, Face, FrameResult, HeadPose
from edgeau.sinks.tables import OpenFaceCsv
from edgeau.sinks.tables.openface_rows import IBUG_68

# The order in which OpenFace 2.2's FeatureExtraction writes what we also write (-pose -2Dfp -aus).
OPENFACE = [
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz"),
    *(f"x_{i}" for i in range(68)),
    *(f"y_{i}" for i in range(68)),
    *(f"AU{n:02d}_r" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)),
    *(f"AU{n:02d}_c" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)),
]
LABELS = tuple(f"AU{n}" for n in (12, 1, 2, 4, 5, 6, 7, 9, 10, 14, 15, 17, 20, 23, 25, 26, 28, 45))


def face(
    aus: list[ActionUnit], track_id: int | None = None, pose: HeadPose | None = None, points: int = 478
) -> Face:
    landmarks = np.arange(points * 3, dtype=np.float32).reshape(points, 3)
    return Face(Box(1, 2, 3, 4), landmarks, track_id, pose, {unit.name: unit for unit in aus})


def frame(*faces: Face, index: int = 0, time_s: float = 0.0) -> FrameResult:
    return FrameResult(index, time_s, 0.0, 0, faces)


def rows(*results: FrameResult, **options) -> list[dict[str, str]]:
    stream = io.StringIO()
    table = OpenFaceCsv(stream, options.pop("labels", ("AU1", "AU12")), **options)
    for result in results:
        table.write(result)
    stream.seek(0)
    return list(csv.DictReader(stream))


def test_the_columns_are_openface_s_in_its_order_and_probabilities_behind() -> None:
    stream = io.StringIO()
    table = OpenFaceCsv(stream, LABELS, intensities=set(LABELS) - {"AU28"}, landmarks=68, pose=True)
    probabilities = [name.replace("_c", "_p") for name in OPENFACE if name.endswith("_c")]
    assert list(table.columns) == OPENFACE + probabilities
    assert stream.getvalue() == ",".join(table.columns) + "\n"


def test_without_options_only_the_action_units_follow() -> None:
    (row,) = rows(frame())
    assert list(row) == [*OPENFACE[:5], "AU01_c", "AU12_c", "AU01_p", "AU12_p"]


def test_a_face_has_its_decision_probability_and_intensity_times_five() -> None:
    units = [ActionUnit("AU1", 0.25, active=False), ActionUnit("AU12", 0.75, active=True, intensity=0.5)]
    (row,) = rows(frame(face(units), index=41, time_s=1.6404), intensities={"AU12"})
    assert row == {
        "frame": "42",
        "face_id": "0",
        "timestamp": "1.640",
        "confidence": "1",
        "success": "1",
        "AU12_r": "2.500",
        "AU01_c": "0",
        "AU12_c": "1",
        "AU01_p": "0.2500",
        "AU12_p": "0.7500",
    }


def test_a_frame_without_a_face_has_one_row_with_empty_cells() -> None:
    (row,) = rows(frame(index=2, time_s=0.1), landmarks=68, pose=True)
    assert [row[name] for name in OPENFACE[:5]] == ["3", "0", "0.100", "0", "0"]
    assert set(list(row.values())[5:]) == {""}


def test_a_refused_action_unit_is_empty_and_not_zero() -> None:
    units = [
        ActionUnit("AU1", None, None, reason="pose"),
        ActionUnit("AU12", 0.0, active=False, intensity=0.0),
    ]
    (row,) = rows(frame(face(units)), intensities={"AU1", "AU12"})
    assert [row[f"AU01_{kind}"] for kind in "rcp"] == ["", "", ""]
    assert [row[f"AU12_{kind}"] for kind in "rcp"] == ["0.000", "0", "0.0000"]


def test_several_faces_give_several_rows_numbered_by_track_or_else_by_place() -> None:
    units = [ActionUnit("AU1", 0.1, active=False), ActionUnit("AU12", 0.1, active=False)]
    tracked = rows(frame(face(units, track_id=4), face(units, track_id=7)))
    assert [(row["frame"], row["face_id"]) for row in tracked] == [("1", "4"), ("1", "7")]
    still = rows(frame(face(units), face(units)))
    assert [row["face_id"] for row in still] == ["0", "1"]


def test_head_rotation_is_in_radians_with_openface_s_signs_and_no_distance_is_made_up() -> None:
    units = [ActionUnit("AU1", 0.1, active=False)]
    looking_up_and_right = face(units, pose=HeadPose(pitch=10, yaw=20, roll=30))
    (row,) = rows(frame(looking_up_and_right), labels=("AU1",), pose=True)
    assert [float(row[f"pose_R{axis}"]) for axis in "xyz"] == pytest.approx(
        [-math.radians(10), -math.radians(20), math.radians(30)], abs=1e-4
    )
    assert [row[f"pose_T{axis}"] for axis in "xyz"] == ["", "", ""]


@pytest.mark.parametrize("points", [468, 478])
def test_68_landmarks_are_those_of_the_ibug_scheme(points: int) -> None:
    (row,) = rows(
        frame(face([ActionUnit("AU1", 0.1, active=False)], points=points)), labels=("AU1",), landmarks=68
    )
    assert float(row["x_8"]) == 3 * 152, "the chin is mesh point 152"
    assert float(row["y_36"]) == 3 * 33 + 1, "the outer corner of the eye on the left is mesh point 33"
    assert "x_68" not in row


def test_the_whole_mesh_leaves_missing_irises_empty() -> None:
    units = [ActionUnit("AU1", 0.1, active=False)]
    (row,) = rows(frame(face(units, points=468)), labels=("AU1",), landmarks=478)
    assert (row["x_467"], row["x_468"], row["y_477"]) == ("1401.00", "", "")
    (row,) = rows(frame(face(units)), labels=("AU1",), landmarks=478)
    assert row["y_477"] == "1432.00"


def test_the_68_points_are_a_mirrored_scheme_on_real_faces(shared_data) -> None:
    """Mirroring a face maps the scheme onto itself, which a mixed-up index would break."""
    landmarks = np.load(shared_data / "real-landmarks.npz")["landmarks"][:, list(IBUG_68), :2]
    left, right = landmarks[:, 0], landmarks[:, 16]
    assert (left[:, 0] < right[:, 0]).all()
    jaw = landmarks[:, :17]
    mirrored = np.linalg.norm(jaw - jaw[:, 8:9], axis=2)
    assert (
        np.median(np.abs(mirrored - mirrored[:, ::-1]) / np.linalg.norm(left - right, axis=1)[:, None]) < 0.1
    )
    steps = np.linalg.norm(np.diff(jaw, axis=1), axis=2)
    assert (np.median(steps / steps.mean(axis=1, keepdims=True), axis=0) < 1.7).all(), (
        "evenly spaced along the jaw"
    )
    mouth = landmarks[:, 48:68].mean(axis=1)
    eyes = landmarks[:, 36:48].mean(axis=1)
    chin = landmarks[:, 8]
    assert (np.linalg.norm(mouth - chin, axis=1) < np.linalg.norm(eyes - chin, axis=1)).all()


def test_a_complete_table_has_every_column_of_openface_and_empty_cells_for_what_nobody_read() -> None:
    aus = [
        ActionUnit("AU12", 0.8, True, 0.5),
        ActionUnit("AU43", 0.9, True, 0.4),
        ActionUnit("smile", 0.1, False),
    ]
    (row,) = rows(
        frame(face(aus)), labels=("smile", "AU43", "AU12"), intensities={"AU12", "AU43"}, complete=True
    )
    openface = [name for name in OPENFACE if name.startswith("AU")]
    assert [name for name in row if name in openface] == openface
    assert {name: row[name] for name in row if name in openface and row[name]} == {
        "AU12_r": "2.500",
        "AU45_r": "2.000",
        "AU12_c": "1",
        "AU45_c": "1",
    }
    assert (row["AU43_r"], row["smile_c"], row["smile_p"]) == ("2.000", "0", "0.1000")
    assert "AU07_p" not in row
