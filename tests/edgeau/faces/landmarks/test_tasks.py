"""The Tasks API, run for real on a stand-in model.

MediaPipe's own ``face_landmarker.task`` may not be shipped. One put together from the models inside the mediapipe package
goes all the way through the same code, and its points are far off: these tests look at everything but the places.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeau.faces.landmarks import open_landmarker

mediapipe = pytest.importorskip("mediapipe")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    modules = Path(mediapipe.__file__).parent / "modules"
    parts = {
        "face_detector.tflite": modules / "face_detection" / "face_detection_short_range.tflite",
        "face_landmarks_detector.tflite": modules / "face_landmark" / "face_landmark.tflite",
    }
    if not all(file.is_file() for file in parts.values()):
        pytest.skip("this mediapipe carries no models")
    path = tmp_path_factory.mktemp("model") / "stand-in.task"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, file in parts.items():
            archive.write(file, name)
    return path


@pytest.mark.parametrize("static", [True, False])
def test_faces_come_in_the_same_form(model: Path, astronaut: np.ndarray, static: bool) -> None:
    with open_landmarker(static=static, model=model) as landmarker:
        faces = [landmarker.detect(astronaut) for _ in range(2)]
        landmarker.reset()
        faces.append(landmarker.detect(astronaut))
    assert [len(found) for found in faces] == [1] * 3
    for (face,) in faces:
        assert (face.shape, face.dtype) == ((478, 3), np.float32)
        # In pixels of the frame, not in shares of it.
        assert 50 < face[:, :2].mean() < 450


def test_without_a_face_there_is_nothing(model: Path) -> None:
    with open_landmarker(static=True, model=model) as landmarker:
        assert landmarker.detect(np.zeros((100, 100, 3), np.uint8)) == []


def test_closing_twice_does_nothing(model: Path) -> None:
    landmarker = open_landmarker(static=True, model=model)
    landmarker.close()
    landmarker.close()
    with pytest.raises(ValueError, match="closed"):
        landmarker.detect(np.zeros((100, 100, 3), np.uint8))
