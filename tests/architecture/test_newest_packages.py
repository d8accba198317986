"""A new installation without mediapipe gets the newest numpy and OpenCV; this environment has older ones, which mediapipe needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeau import open_source
from edgeau.faces.landmarks import mediapipe_models as models
from edgeau.faces.landmarks import open_landmarker

pytest.importorskip("mediapipe")

_TESTS = (
    "tests/apps/analyze/test_command.py",
    "tests/apps/live",
    "tests/edgeau/runtimes",
    "tests/edgeau/live",
    "tests/edgeau/sources",
    "tests/edgeau/test_pipeline.py",
)


_PLACE = """
import sys
import numpy as np
from edgeau.faces.landmarks import open_landmarker
from landmark_parity import shares
seen = np.load(sys.argv[1])
landmarker = open_landmarker(kind="litert", static=True)
pairs = zip(seen["frames"], seen["points"], strict=True)
print(max(shares(landmarker.detect(frame)[0], points).max() for frame, points in pairs))
"""


@pytest.fixture(scope="module")
def newest(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment as a new user gets it."""
    place = tmp_path_factory.mktemp("newest")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    python = place / "bin" / "python"
    tools = ("pytest", "pytest-timeout", "psutil", "scikit-image")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--upgrade"]
    subprocess.run([*pip, f"{wheel}[export,litert,onnxruntime,web]", *tools], check=True, capture_output=True)
    return python


@pytest.fixture
def environment(root: Path) -> dict[str, str]:
    place = models.models_place()
    if place is None:
        pytest.skip("needs MediaPipe's models")
    return {**os.environ, models.ENVIRONMENT: str(place), "PYTHONPATH": str(root)}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_they_export_and_run_the_device(
    newest: Path, environment: dict[str, str], root: Path, tmp_path: Path
) -> None:
    command = [
        str(newest.with_name("edgeau-export")),
        "--target",
        "raspberrypi",
        "--out",
        str(tmp_path / "b"),
    ]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    command = [str(newest), "-m", "pytest", "-q", "-p", "no:cacheprovider", *_TESTS]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_they_place_landmarks_as_mediapipe_does(
    newest: Path, environment: dict[str, str], root: Path, tmp_path: Path, shared_data: Path
) -> None:
    """OpenCV cuts the face out of the picture, and from version 5 on rounds otherwise."""
    frames, points = [], []
    with (
        open_landmarker(kind="solutions", static=True) as landmarker,
        open_source(str(shared_data / "real-face.mp4")) as video,
    ):
        for frame in video:
            if frame.index % 8 == 0:
                frames.append(frame.image)
                points.append(landmarker.detect(frame.image)[0])
    np.savez(tmp_path / "seen.npz", frames=frames, points=points)
    command = [str(newest), "-c", _PLACE, str(tmp_path / "seen.npz")]
    environment["PYTHONPATH"] += f"{os.pathsep}{root / 'benchmarks'}"
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout) < 0.01
