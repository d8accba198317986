"""The landmarks of LiteRT beside those of MediaPipe itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from typing_extensions import Self

from edgeau.errors import DependencyError, EngineError, InputError, UsageError
from edgeau.faces.landmarks import mediapipe_models as models
from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.detection_frame import in_larger_frame, shrunk
from edgeau.faces.landmarks.litert.detection import ANCHORS, merge
from edgeau.faces.landmarks.litert.mesh import RefinedMesh
from edgeau.faces.landmarks.litert.region import Region, overlap
from edgeau.faces.landmarks.litert.tracking import joined

mediapipe = pytest.importorskip("mediapipe")
pytest.importorskip("ai_edge_litert")

# Share of the distance between the outer eye corners that no point may be off.
TOLERANCE = 0.01


class FaceMesh:
    """MediaPipe's own answers."""

    def __init__(self, *, static: bool, max_faces: int = 1, refined: bool = True) -> None:
        self._mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=static, max_num_faces=max_faces, refine_landmarks=refined
        )

    def detect(self, frame: np.ndarray) -> list[np.ndarray]:
        height, width = frame.shape[:2]
        faces = self._mesh.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)).multi_face_landmarks or []
        scale = np.array((width, height, width))
        return [np.array([(p.x, p.y, p.z) for p in face.landmark]) * scale for face in faces]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._mesh.close()


def litert(**options):
    return open_landmarker(kind="litert", **options)


PACKAGE = Path(mediapipe.__file__).parent


@pytest.fixture(scope="session")
def plain_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder without the refined mesh."""
    folder = tmp_path_factory.mktemp("plain")
    for name in (models.DETECTOR, models.PLAIN_MESH):
        shutil.copy(PACKAGE / name, folder)
    return folder


def from_left(faces: list[np.ndarray]) -> list[np.ndarray]:
    return sorted(faces, key=lambda face: face[:, 0].mean())


def assert_same(ours: list[np.ndarray], theirs: list[np.ndarray], tolerance: float = TOLERANCE) -> None:
    assert len(ours) == len(theirs)
    for our, their in zip(from_left(ours), from_left(theirs), strict=True):
        assert (our.shape, our.dtype) == (their.shape, np.float32)
        eyes = np.linalg.norm(their[33, :2] - their[263, :2])
        assert np.abs(our - their).max() <= tolerance * eyes


def two_faces(astronaut: np.ndarray) -> np.ndarray:
    face = astronaut[:300, 100:400]
    tilted = cv2.warpAffine(face, cv2.getRotationMatrix2D((150, 150), 25, 0.8), (300, 300))
    return np.ascontiguousarray(np.concatenate((face, tilted[:, ::-1]), axis=1))


@pytest.fixture(scope="module")
def frames(shared_data: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(shared_data / "real-face.mp4"))
    read = [video.read()[1] for _ in range(60)]
    video.release()
    return read


@pytest.mark.parametrize("refined", [True, False], ids=["refined", "plain"])
def test_a_picture_as_mediapipe_sees_it(astronaut: np.ndarray, plain_models: Path, refined: bool) -> None:
    chosen = None if refined else plain_models
    with litert(static=True, model=chosen) as ours, FaceMesh(static=True, refined=refined) as theirs:
        found = ours.detect(astronaut)
        assert_same(found, theirs.detect(astronaut), 0.001)
    assert len(found[0]) == (478 if refined else 468)


@pytest.mark.parametrize("angle", [-60, -30, 15, 35])  # beyond these, MediaPipe is wrong
def test_a_turned_face_as_mediapipe_sees_it(astronaut: np.ndarray, angle: int) -> None:
    turned = cv2.warpAffine(astronaut, cv2.getRotationMatrix2D((220, 130), angle, 1), (440, 380))
    with litert(static=True) as ours, FaceMesh(static=True) as theirs:
        assert_same(ours.detect(turned), theirs.detect(turned))


def test_two_faces_as_mediapipe_sees_them(astronaut: np.ndarray) -> None:
    picture = two_faces(astronaut)
    with litert(static=True, max_faces=4) as ours, FaceMesh(static=True, max_faces=4) as theirs:
        found = ours.detect(picture)
        assert len(found) == 2
        assert_same(found, theirs.detect(picture))


@pytest.mark.parametrize("refined", [True, False], ids=["refined", "plain"])
@pytest.mark.parametrize("static", [True, False], ids=["static", "tracking"])
def test_a_real_video_as_mediapipe_sees_it(
    frames: list[np.ndarray], plain_models: Path, static: bool, refined: bool
) -> None:
    chosen = None if refined else plain_models
    with litert(static=static, model=chosen) as ours, FaceMesh(static=static, refined=refined) as theirs:
        for frame in frames:
            assert_same(ours.detect(frame), theirs.detect(frame))


def test_two_faces_come_and_go_as_in_mediapipe(astronaut: np.ndarray) -> None:
    both = two_faces(astronaut)
    left, black = both.copy(), np.zeros_like(both)
    left[:, 300:] = 0
    sequence = [left, left, np.roll(both, 3, axis=1), both, np.roll(both, 2, axis=0), left, black, both]
    with litert(max_faces=2) as ours, FaceMesh(static=False, max_faces=2) as theirs:
        counts = []
        for frame in sequence:
            found = ours.detect(frame)
            assert_same(found, theirs.detect(frame))
            counts.append(len(found))
    assert counts == [1, 1, 2, 2, 2, 1, 0, 2]


def test_a_large_frame_keeps_its_pixels(astronaut: np.ndarray) -> None:
    large = cv2.resize(astronaut, (3072, 3072), interpolation=cv2.INTER_CUBIC)
    with litert(static=True) as ours, litert(static=True) as small:
        (found,), (expected,) = ours.detect(large), small.detect(astronaut)
    eyes = np.linalg.norm(expected[33] - expected[263])
    assert np.abs(found / 6 - expected).max() < 0.03 * eyes


@pytest.mark.parametrize("factor", [2, 4])
def test_points_of_a_large_frame_lie_where_those_of_a_small_one_do(
    astronaut: np.ndarray, factor: int
) -> None:
    """The networks see the same picture; a pixel of the small frame has the middle of those that it was made of."""
    large = cv2.resize(astronaut, (1280 * factor,) * 2, interpolation=cv2.INTER_CUBIC)
    small, by = shrunk(large)
    assert by == factor
    with litert(static=True) as ours:
        (found,), (seen,) = ours.detect(large), ours.detect(small)
    np.testing.assert_allclose(found[:, :2], (seen[:, :2] + 0.5) * factor - 0.5, atol=1e-2)
    np.testing.assert_allclose(found[:, 2], seen[:, 2] * factor, atol=1e-2)


def test_a_face_has_the_same_points_in_a_frame_and_in_the_shrunk_one(astronaut: np.ndarray) -> None:
    """To a fifth of a pixel: in a frame of three times the size they were a pixel to the left and above."""
    large = cv2.resize(astronaut, (5120, 5120), interpolation=cv2.INTER_CUBIC)
    small, by = shrunk(large)
    region = Region(562.0, 282.0, 430.0, 0.1)
    same = Region((region.x + 0.5) * by - 0.5, (region.y + 0.5) * by - 0.5, region.side * by, region.angle)
    mesh = RefinedMesh(models.read_models().mesh, 1)
    with closing(mesh):
        seen, expected = mesh.place(small, region), mesh.place(large, same)
    apart = in_larger_frame(seen.points, by, by) - expected.points
    assert np.abs(apart[:, :2].mean(axis=0)).max() < 0.2


@pytest.mark.parametrize(
    "frame",
    [np.zeros((1, 1, 3), np.uint8), np.zeros((480, 640, 3), np.uint8), np.zeros((1, 6000, 3), np.uint8)],
    ids=["one pixel", "black", "a line"],
)
def test_a_frame_without_a_face_gives_nothing(frame: np.ndarray) -> None:
    with litert(static=True) as landmarker:
        assert landmarker.detect(frame) == []


def test_reset_forgets_and_a_closed_one_says_so(astronaut: np.ndarray) -> None:
    landmarker = litert()
    runs = []
    for _ in range(2):
        runs.append([landmarker.detect(np.roll(astronaut, 4 * n, axis=1))[0] for n in range(3)])
        landmarker.reset()
    np.testing.assert_array_equal(*runs)
    landmarker.close()
    landmarker.close()
    with pytest.raises(ValueError, match="closed"):
        landmarker.detect(astronaut)


def test_it_says_which_models_in_which_package() -> None:
    with litert(static=True) as landmarker:
        assert "mediapipe in ai-edge-litert 2" in landmarker.describe()


def test_mediapipe_is_not_imported(root: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from edgeau.faces.landmarks import open_landmarker\n"
        "open_landmarker(kind='litert').detect(np.zeros((9, 9, 3), np.uint8))\n"
        "assert not any(m.split('.')[0] == 'mediapipe' for m in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """The models in every form in which they may be given."""
    flat, wheel = tmp_path / "flat", tmp_path / "mediapipe-0.10.18-cp311-cp311-any.whl"
    flat.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in (models.DETECTOR, models.REFINED_MESH):
            (flat / Path(name).name).write_bytes((PACKAGE / name).read_bytes())
            archive.write(PACKAGE / name, f"mediapipe/{name}")
    return {"package": PACKAGE, "flat": flat, "wheel": wheel}


@pytest.mark.parametrize("form", ["package", "flat", "wheel"])
def test_models_are_taken_from_a_folder_or_a_wheel(places, form: str, monkeypatch) -> None:
    expected = (places["package"] / models.REFINED_MESH).read_bytes()
    assert models.read_models(places[form]).mesh.content == expected
    monkeypatch.setenv(models.ENVIRONMENT, str(places[form]))
    found = models.read_models()
    assert (found.mesh.content, found.place) == (expected, places[form])
    with open_landmarker(model=places[form]) as landmarker:
        assert "LiteRtLandmarker" in type(landmarker).__name__


def test_without_mediapipe_its_models_are_enough(places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="edgeau-landmarks --fetch"):
        open_landmarker()
    with pytest.raises(DependencyError, match="edgeau-landmarks --fetch"):
        litert()
    monkeypatch.setenv(models.ENVIRONMENT, str(places["wheel"]))
    with open_landmarker() as landmarker:
        assert "ai-edge-litert" in landmarker.describe()


def test_places_without_models_are_named(tmp_path: Path) -> None:
    (tmp_path / "file.tflite").write_bytes(b"x")
    for place, fault in {
        tmp_path: "has no face landmark networks",
        tmp_path / "none": "does not exist",
        tmp_path / "file.tflite": "is neither a folder nor a face_landmarker.task nor a wheel",
        tmp_path / ("n" * 300): "cannot be read: File name too long",
    }.items():
        with pytest.raises(InputError, match=f"{fault}.*edgeau-landmarks --fetch"):
            litert(model=place)


def test_other_models_under_the_right_names_are_refused(tmp_path: Path) -> None:
    names = (models.DETECTOR, models.REFINED_MESH)
    detector, mesh = ((PACKAGE / name).read_bytes() for name in names)
    detector_file, mesh_file = (tmp_path / Path(name).name for name in names)
    detector_file.write_bytes(mesh)
    mesh_file.write_bytes(mesh)
    with pytest.raises(InputError, match="face_detection_short_range.tflite .* is another network"):
        litert(model=tmp_path)
    detector_file.write_bytes(detector)
    mesh_file.write_bytes(detector)
    with pytest.raises(InputError, match="with_attention.tflite .* is another network: it has no .*input_1"):
        litert(model=tmp_path)
    mesh_file.write_bytes(mesh[: len(mesh) // 2])
    with pytest.raises(EngineError, match="with_attention.tflite .* is damaged"):
        litert(model=tmp_path)


def test_a_missing_refinement_is_said(plain_models: Path, caplog: pytest.LogCaptureFixture) -> None:
    with litert(model=plain_models) as landmarker:
        assert "468 points" in landmarker.describe()
    assert "eyes and lips are less exact" in caplog.text


def test_an_unknown_kind_lists_the_known() -> None:
    with pytest.raises(UsageError, match="there are litert, solutions"):
        open_landmarker(kind="haar")


def test_anchors_lie_in_the_middle_of_their_cells() -> None:
    assert ANCHORS.shape == (896, 2)
    np.testing.assert_allclose(ANCHORS[:3], [[1 / 32, 1 / 32], [1 / 32, 1 / 32], [3 / 32, 1 / 32]])
    np.testing.assert_allclose(ANCHORS[[512, 517, 518]], [[1 / 16] * 2, [1 / 16] * 2, [3 / 16, 1 / 16]])
    np.testing.assert_allclose(ANCHORS[-1], 1 - 1 / 16)


def test_boxes_on_each_other_become_their_weighted_mean() -> None:
    one = np.array([[0.1, 0.1], [0.3, 0.3]], np.float32)
    faces = np.stack((one, one + 0.02, one + 0.5))
    (first, surest), (second, _) = merge(faces, np.array((0.6, 0.9, 0.8), np.float32))
    assert surest == pytest.approx(0.9)
    np.testing.assert_allclose(first, one + 0.02 * 0.9 / 1.5, atol=1e-6)
    np.testing.assert_allclose(second, one + 0.5, atol=1e-6)
    assert merge(faces[:0], np.zeros(0, np.float32)) == []
    assert len(merge(np.zeros((2, 2, 2), np.float32), np.ones(2, np.float32))) == 2


def test_followed_faces_come_before_found_ones() -> None:
    followed, near, far = (Region(x, 100, 50, 0) for x in (100, 105, 300))
    assert joined([followed], [near, far], 4) == [followed, far]
    assert joined([followed], [far, near], 1) == [followed]
    assert joined([], [near, followed, far], 4) == [near, far]
    assert overlap(followed, followed) == 1
    assert overlap(Region(0, 0, 0, 0), Region(0, 0, 0, 0)) == 0


def test_a_region_of_landmarks_follows_the_eyes() -> None:
    landmarks = np.zeros((468, 3), np.float32)
    landmarks[33], landmarks[263] = (10, 30, 0), (30, 10, 0)
    region = Region.of_landmarks(landmarks)
    assert (region.x, region.y, region.side) == (15, 15, 45)
    assert region.angle == pytest.approx(-np.pi / 4)


def test_a_mediapipe_that_does_not_say_its_version_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built from source, or from a distribution: a package without metadata."""

    def version(name: str) -> str:
        raise models.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(models.metadata, "version", version)
    assert models.read_models(PACKAGE).source == "mediapipe of unknown version"
