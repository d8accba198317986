"""Google's ``face_landmarker.task`` in LiteRT, beside MediaPipe's own program for it; and files that are none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from edgeau import open_source
from edgeau.bundle import bundle_folder
from edgeau.errors import InputError, OutputError
from edgeau.faces.landmarks import mediapipe_models as models
from edgeau.faces.landmarks import open_landmarker, task_download, wheel_networks
from edgeau.faces.landmarks.litert.blendshapes import Blendshapes

pytest.importorskip("ai_edge_litert")


@pytest.fixture(scope="module")
def task(shared_data: Path) -> Path:
    file = shared_data / "face_landmarker.task"
    if not file.is_file():
        pytest.skip("needs Google's face_landmarker.task in ../shared/data")
    return file


@pytest.fixture(scope="module")
def theirs(task: Path) -> Iterator:
    """MediaPipe's program for the same file (mediapipe 0.10.21, which sends nothing)."""
    mediapipe = pytest.importorskip("mediapipe")
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(task)), running_mode=vision.RunningMode.IMAGE
    )

    def detect(frame: np.ndarray) -> np.ndarray:
        rgb = np.ascontiguousarray(frame[:, :, ::-1])
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
        (face,) = landmarker.detect(image).face_landmarks
        return np.array([(p.x * frame.shape[1], p.y * frame.shape[0]) for p in face])

    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        yield detect


def test_points_are_those_of_mediapipe(task: Path, theirs, shared_data: Path, astronaut: np.ndarray) -> None:
    with open_source(str(shared_data / "real-face.mp4")) as video:
        frames = [astronaut, *(frame.image for frame in video if frame.index % 40 == 0)]
    assert len(frames) > 10
    with open_landmarker(static=True, model=task) as landmarker:
        assert "face_landmarks_detector.tflite" in landmarker.describe()
        for frame in frames:
            (ours,), expected = landmarker.detect(frame), theirs(frame)
            assert ours.shape == (478, 3)
            eyes = np.linalg.norm(expected[33] - expected[263])
            # MediaPipe's z is left out: its new graph scales it by the frame's shape as soon as the head is turned.
            assert np.abs(ours[:, :2] - expected).max() < 0.002 * eyes


def test_it_follows_a_face_and_forgets_it(task: Path, astronaut: np.ndarray) -> None:
    with open_landmarker(model=task) as landmarker:
        runs = []
        for _ in range(2):
            runs.append([landmarker.detect(np.roll(astronaut, 4 * n, axis=1))[0] for n in range(3)])
            landmarker.reset()
        np.testing.assert_array_equal(*runs)
        landmarker.reset()
        assert landmarker.detect(np.zeros_like(astronaut)) == []


def _zip(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.tflite", content)
    return path


def _packed(path: Path, method: int, name: str, *, size: int = 1000, tear: bool = False) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, bytes(size))
        start = len(archive.infolist()[0].FileHeader())
    if tear:
        content = bytearray(path.read_bytes())
        content[start] = 0xFF  # no block of this kind exists
        path.write_bytes(content)


def test_blendshapes_of_a_damaged_file_are_named(tmp_path: Path) -> None:
    _packed(tmp_path / "a.task", zipfile.ZIP_DEFLATED, "face_blendshapes.tflite", tear=True)
    with pytest.raises(InputError, match="a.task is damaged"):
        Blendshapes(tmp_path / "a.task")
    with pytest.raises(InputError, match="holds no blendshapes"):
        Blendshapes(tmp_path)


def test_files_that_are_no_face_landmarker_are_named(task: Path, tmp_path: Path) -> None:
    damaged = bytearray(task.read_bytes())
    damaged[1_000_000] ^= 1
    (tmp_path / "damaged.task").write_bytes(damaged)
    (tmp_path / "cut.task").write_bytes(damaged[:1_000_000])
    _zip(tmp_path / "hand.task", hand_detector=b"x", hand_landmarks_detector=b"x")
    mesh_entry = f"mediapipe/{models.REFINED_MESH}"
    _packed(tmp_path / "torn.whl", zipfile.ZIP_DEFLATED, mesh_entry, tear=True)
    _packed(tmp_path / "odd.whl", zipfile.ZIP_LZMA, mesh_entry)
    _packed(tmp_path / "bomb.whl", zipfile.ZIP_DEFLATED, mesh_entry, size=65 << 20)
    with zipfile.ZipFile(tmp_path / "mediapipe-1.2.3-cp313-none-any.whl", "w") as wheel:
        wheel.writestr("mediapipe/__init__.py", "")
    with zipfile.ZipFile(task) as whole:
        detector, mesh = (whole.read(name) for name in (models.TASK_DETECTOR, models.TASK_MESH))
    _zip(tmp_path / "half.task", face_landmarks_detector=mesh)
    _zip(tmp_path / "swapped.task", face_detector=mesh, face_landmarks_detector=detector)
    for name, said in {
        "damaged.task": "is damaged, or is not a face_landmarker.task",
        "cut.task": "is damaged, or is not a face_landmarker.task",
        "hand.task": "it holds hand_detector.tflite, hand_landmarks_detector.tflite",
        "half.task": "has no face_detector.tflite",
        "torn.whl": "is damaged, or is not a wheel .*invalid",
        "odd.whl": "is damaged, or is not a wheel .*compression method",
        "bomb.whl": "is damaged, or is not a wheel .*unpacks to 68,157,440 bytes",
        "swapped.task": "is another network",
        "mediapipe-1.2.3-cp313-none-any.whl": "is a wheel without face landmark networks",
    }.items():
        with pytest.raises(InputError, match=f"{name}.* {said}") as caught:
            open_landmarker(model=tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ("damaged.task", "damaged.task is damaged, or is not a face_landmarker.task"),
        ("hand.task", "it holds hand_detector.tflite, hand_landmarks_detector.tflite"),
        ("mediapipe-1.2.3-cp313-none-any.whl", "is a wheel without face landmark networks"),
        ("two", "holds two sets of landmark networks"),
        ("", "face landmark networks are missing: this bundle has none, and this machine has none"),
    ],
)
def test_a_program_says_it_in_one_line_before_any_engine_is_timed(
    networks: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "damaged.task").write_bytes(b"PK\3\4" + bytes(1000))
    _zip(tmp_path / "hand.task", hand_detector=b"x", hand_landmarks_detector=b"x")
    with zipfile.ZipFile(tmp_path / "mediapipe-1.2.3-cp313-none-any.whl", "w") as wheel:
        wheel.writestr("mediapipe/__init__.py", "")
    two = tmp_path / "two"
    two.mkdir()
    for name in (models.TASK_DETECTOR, models.TASK_MESH, models.DETECTOR, models.REFINED_MESH):
        (two / Path(name).name).write_bytes(b"x")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop(models.ENVIRONMENT, None)
    if networks:
        environment[models.ENVIRONMENT] = str(tmp_path / networks)
    # Without networks: the packaged default, where mediapipe cannot be found.
    code = (
        "import sys; import edgeau.faces.landmarks.mediapipe_models as models; "
        "models.find_spec = lambda name: None; "
        "from edgeau_apps.analyze.command import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "clip", "--out", str(tmp_path / "out")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert said in line
    assert not (tmp_path / "out").exists()


def test_two_sets_in_one_place_are_refused(task: Path, tmp_path: Path) -> None:
    installed = models.installed_models()
    if installed is None:
        pytest.skip("needs a mediapipe with models")
    for name in (models.DETECTOR, models.REFINED_MESH):
        shutil.copy(installed / name, tmp_path)
    with zipfile.ZipFile(task) as whole:
        whole.extractall(tmp_path)
    with pytest.raises(InputError, match=r"two sets of landmark networks \(face_landmarks_detector"):
        open_landmarker(model=tmp_path)


@pytest.fixture
def served() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An address on this machine, and what it answers by path."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answers.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def test_a_fetched_file_serves_from_the_cache(
    task: Path, served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    url, answers = served
    answers["/task"] = task.read_bytes()
    place = task_download.fetch(f"{url}/task")
    assert place.read_bytes() == task.read_bytes()
    answers.clear()
    assert task_download.fetch(f"{url}/task") == place
    with open_landmarker(static=True) as landmarker:
        assert len(landmarker.detect(astronaut)[0]) == 478


def test_blendshapes_that_are_another_network_are_named(tmp_path: Path) -> None:
    other = (bundle_folder("light") / "model.int8.tflite").read_bytes()
    with pytest.raises(InputError, match="face_blendshapes.tflite of .*a.task is another network"):
        Blendshapes(_zip(tmp_path / "a.task", face_blendshapes=other))


@pytest.mark.parametrize("fetch", [task_download.fetch, wheel_networks.fetch])
def test_without_a_home_directory_nothing_is_fetched(fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of a container whom no table of users lists."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(OutputError, match="no home directory .*: set XDG_CACHE_HOME"):
        fetch()
