from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import DependencyError, InputError, UsageError
from edgeau.faces import landmarks
from edgeau.faces.landmarks import Landmarker, open_landmarker
from edgeau.faces.landmarks import mediapipe_models as models
from edgeau.faces.landmarks.detection_frame import shrunk
from edgeau.faces.landmarks.solutions import points

mediapipe = pytest.importorskip("mediapipe")

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def static_landmarker() -> Iterator[Landmarker]:
    with open_landmarker(kind="solutions", static=True, max_faces=4) as landmarker:
        yield landmarker


@pytest.fixture(scope="module")
def astronaut_landmarks(static_landmarker, astronaut: np.ndarray) -> np.ndarray:
    (found,) = static_landmarker.detect(astronaut)
    return found


def mediapipe_itself(frame: np.ndarray) -> np.ndarray:
    """MediaPipe's own answer, without anything of ours: (478, 3) in pixels."""
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        (face,) = mesh.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    height, width = frame.shape[:2]
    return np.array([(p.x * width, p.y * height, p.z * width) for p in face.landmark], np.float32)


def eye_centres(landmarks: np.ndarray) -> np.ndarray:
    return np.stack([landmarks[[33, 133], :2].mean(axis=0), landmarks[[263, 362], :2].mean(axis=0)])


def test_one_face_of_478_points_as_mediapipe_itself_gives_it(astronaut, astronaut_landmarks) -> None:
    expected = mediapipe_itself(astronaut)
    assert astronaut_landmarks.dtype == np.float32
    assert astronaut_landmarks.shape == (478, 3)
    np.testing.assert_allclose(astronaut_landmarks, expected, atol=1e-3)
    distance = np.linalg.norm(np.diff(eye_centres(expected), axis=0))
    assert np.abs(eye_centres(astronaut_landmarks) - eye_centres(expected)).max() < 0.03 * distance


@pytest.mark.parametrize("size", [(1080, 1920), (1999, 2600), (4320, 7680)])
def test_a_large_frame_gives_the_same_face(astronaut, static_landmarker, size: tuple[int, int]) -> None:
    height, width = size
    frame = np.zeros((height, width, 3), np.uint8)
    side = 3 * height // 4
    frame[:side, :side] = cv2.resize(astronaut[:260, 90:350], (side, side))
    (found,) = static_landmarker.detect(frame)
    expected = mediapipe_itself(frame)
    distance = np.linalg.norm(np.diff(eye_centres(expected), axis=0))
    assert np.abs(eye_centres(found) - eye_centres(expected)).max() < 0.03 * distance
    small, factor = shrunk(frame)
    (seen,) = static_landmarker.detect(small)
    np.testing.assert_allclose(found[:, :2], (seen[:, :2] + 0.5) * factor - 0.5, atol=1e-2)


def test_tracking_follows_a_face_and_forgets_it_on_reset(astronaut) -> None:
    with open_landmarker(kind="solutions", static=False) as landmarker:
        runs = []
        for _ in range(2):
            run = [landmarker.detect(np.roll(astronaut, 4 * shift, axis=1)) for shift in range(4)]
            runs.append(np.stack([faces[0] for faces in run]))
            landmarker.reset()
    np.testing.assert_array_equal(*runs)
    moved = np.diff(runs[0][:, 1, 0])
    np.testing.assert_allclose(moved, 4, atol=2.5)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((480, 640, 3), np.uint8),
        np.zeros((1, 6000, 3), np.uint8),
        np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8),
    ],
    ids=["one pixel", "black", "a line", "noise"],
)
def test_a_frame_without_a_face_gives_nothing(static_landmarker, frame: np.ndarray) -> None:
    assert static_landmarker.detect(frame) == []


def test_strided_and_read_only_frames_are_fine(astronaut, astronaut_landmarks, static_landmarker) -> None:
    wide = np.concatenate((astronaut, astronaut), axis=1)[:, :512]
    wide.flags.writeable = False
    (found,) = static_landmarker.detect(wide)
    np.testing.assert_array_equal(found, astronaut_landmarks)
    (mirrored,) = static_landmarker.detect(astronaut[:, ::-1])
    assert mirrored[1, 0] == pytest.approx(511 - found[1, 0], abs=5)


def test_the_landmarks_of_one_call_are_not_touched_by_the_next(astronaut, static_landmarker) -> None:
    (first,) = static_landmarker.detect(astronaut)
    kept = first.copy()
    static_landmarker.detect(np.ascontiguousarray(astronaut[:, ::-1]))
    np.testing.assert_array_equal(first, kept)


def test_closing_twice_does_nothing_and_detecting_after_it_is_our_bug(astronaut) -> None:
    landmarker = open_landmarker(kind="solutions", static=True)
    landmarker.close()
    landmarker.close()
    with pytest.raises(ValueError, match="closed"):
        landmarker.detect(astronaut)


def test_a_bad_frame_is_refused(static_landmarker) -> None:
    with pytest.raises(InputError, match="COLOR_BGRA2BGR"):
        static_landmarker.detect(np.zeros((10, 10, 4), np.uint8))


def test_no_faces_at_most_make_no_sense() -> None:
    with pytest.raises(UsageError, match="1 or more, got 0"):
        open_landmarker(max_faces=0)


class Point:
    def __init__(self, x: float) -> None:
        self.x, self.y, self.z = x, 2 * x, 3 * x


@pytest.mark.parametrize(
    "wire", [b"", b"\x0a\x0f" + bytes(32), bytes(34)], ids=["short", "other tags", "zeros"]
)
def test_landmarks_on_the_wire_in_another_layout_are_read_slowly(wire: bytes) -> None:
    class Face:
        landmark = (Point(1), Point(2))

        def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
            return wire

    assert points(Face(), np.array((1, 10, 100), np.float32)).tolist() == [[1, 20, 300], [2, 40, 600]]


def test_a_machine_without_networks_is_told_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(models.ENVIRONMENT, raising=False)
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="edgeau-landmarks --fetch"):
        open_landmarker()


def test_networks_without_litert_name_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(landmarks, "find_spec", lambda name: None)
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"need LiteRT, .*pip install 'edgeau\[litert\]'"):
        open_landmarker(bundled=tmp_path)


def test_a_mediapipe_that_carries_none_is_never_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From 0.10.30 on it reports usage to its maker; a stand-in of it fails the test by being imported."""
    package = tmp_path / "mediapipe"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    (tmp_path / "mediapipe-1.2.3.dist-info").mkdir()
    (tmp_path / "mediapipe-1.2.3.dist-info" / "METADATA").write_text("Name: mediapipe\nVersion: 1.2.3\n")
    code = """
from edgeau.errors import EdgeauError
from edgeau.faces.landmarks import open_landmarker
for kind in (None, "solutions", "litert"):
    try:
        open_landmarker(kind=kind)
    except EdgeauError as error:
        print(error)
"""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    environment.pop(models.ENVIRONMENT, None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stdout
    assert "mediapipe 1.2.3 carries none, and is not imported" in lines[0]
    assert all("edgeau-landmarks --fetch" in line for line in lines)


@pytest.mark.parametrize("content", [None, b"", b"junk" * 1000], ids=["missing", "empty", "junk"])
def test_a_model_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    model = tmp_path / "face_landmarker.task"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(InputError, match=str(model)):
        open_landmarker(model=model)
