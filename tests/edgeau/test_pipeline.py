from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline, open_source
from edgeau.action_units.names import DEFAULT
from edgeau.action_units.network import AUDetector
from edgeau.bundle.manifest import NetworkInfo
from edgeau.errors import DependencyError, EngineError, InputError, UsageError
from edgeau.faces.alignment import Alignment
from edgeau.faces.landmarks.landmarker import FaceLandmarks, Landmarker
from edgeau.sources import Frame
from edgeau.stages import FrameStages


@pytest.fixture
def video(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "moving.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (512, 512))
    for frame in range(12):
        writer.write(np.roll(astronaut, 3 * frame, axis=1))
    writer.release()
    return path


def test_a_picture_gives_one_face_with_every_action_unit(bundle_path: Path, astronaut: np.ndarray) -> None:
    with Pipeline.load(bundle_path) as pipeline:
        result = pipeline.process(astronaut)
    (face,) = result.faces
    assert (result.index, result.dropped) == (0, 0)
    assert result.age_s > 0
    assert tuple(face.aus) == DEFAULT
    assert all(au.active == (au.probability >= 0.5) and au.reason is None for au in face.aus.values())
    assert face.track_id is None
    assert 0 < face.box.left < face.landmarks[1, 0] < face.box.left + face.box.width < 512


def test_the_pipeline_says_what_the_detector_says_on_the_aligned_crop(
    bundle_path: Path, astronaut: np.ndarray
) -> None:
    with Pipeline.load(bundle_path) as pipeline:
        (face,) = pipeline.process(astronaut).faces
    crop = Alignment().crop(np.ascontiguousarray(astronaut[:, :, ::-1]), face.landmarks)
    with AUDetector.load(bundle_path) as detector:
        found = detector.detect([crop])
    expected = [face.aus[label].probability for label in found.labels]
    np.testing.assert_allclose(found.probabilities[0], expected, atol=1e-6)


def test_several_faces_come_from_left_to_right(bundle_path: Path, astronaut: np.ndarray) -> None:
    face = astronaut[0:260, 90:350]
    frame = np.concatenate((face, face[:, ::-1], face), axis=1)
    with Pipeline.load(bundle_path) as pipeline:
        faces = pipeline.process(frame).faces
    assert len(faces) == 3
    assert [int(f.landmarks[1, 0] // 260) for f in faces] == [0, 1, 2]


def test_a_frame_without_a_face_gives_none(bundle_path: Path) -> None:
    with Pipeline.load(bundle_path) as pipeline:
        assert pipeline.process(np.zeros((48, 64, 3), np.uint8)).faces == ()


def test_a_video_keeps_its_numbers_times_and_the_track(bundle_path: Path, video: Path) -> None:
    with Pipeline.load(bundle_path) as pipeline, open_source(str(video)) as source:
        results = list(pipeline.stream(source))
    assert [r.index for r in results] == list(range(12))
    np.testing.assert_allclose([r.time_s for r in results], np.arange(12) / 20, atol=1e-3)
    assert [[f.track_id for f in r.faces] for r in results] == [[0]] * 12


def test_pictures_are_looked_at_alone(bundle_path: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"{index}.png"), astronaut)
    with Pipeline.load(bundle_path) as pipeline, open_source(str(tmp_path / "*.png")) as source:
        first, second = (result.faces[0] for result in pipeline.stream(source))
    assert first.track_id is None
    np.testing.assert_array_equal(first.landmarks, second.landmarks)


def test_a_second_stream_starts_afresh(bundle_path: Path, video: Path) -> None:
    with Pipeline.load(bundle_path) as pipeline:
        runs = []
        for _ in range(2):
            with open_source(str(video)) as source:
                runs.append([result.faces[0].landmarks for result in pipeline.stream(source)])
    np.testing.assert_array_equal(*runs)


def test_experimental_action_units_are_hidden_unless_asked_for(make_bundle, astronaut: np.ndarray) -> None:
    path = make_bundle(experimental=("AU9", "AU20"))
    with Pipeline.load(path) as pipeline:
        (face,) = pipeline.process(astronaut).faces
        assert not {"AU9", "AU20"} & set(face.aus)
        assert pipeline.labels == tuple(face.aus)
    with Pipeline.load(path, experimental=True) as pipeline:
        (face,) = pipeline.process(astronaut).faces
    assert tuple(face.aus) == DEFAULT
    assert [label for label, au in face.aus.items() if au.experimental] == ["AU9", "AU20"]


def test_an_untrained_network_says_so(make_bundle, caplog: pytest.LogCaptureFixture) -> None:
    path = make_bundle(network=NetworkInfo("tiny", "tiny", {}, 1, False, "seeded weights"))
    with caplog.at_level(logging.WARNING, "edgeau"), Pipeline.load(path):
        assert "untrained" in caplog.text


def test_an_unknown_engine_lists_what_there_is(bundle_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no artifact for 'tensorrt'.*onnxruntime/fp32 \(model.onnx\)"):
        Pipeline.load(bundle_path, artifact="tensorrt")


def test_a_bad_frame_stops_one_call_and_not_the_pipeline(bundle_path: Path, astronaut: np.ndarray) -> None:
    with Pipeline.load(bundle_path) as pipeline:
        with pytest.raises(InputError, match="COLOR_GRAY2BGR"):
            pipeline.process(astronaut[:, :, 0])
        result = pipeline.process(astronaut)
    assert (result.index, len(result.faces)) == (0, 1)


def test_an_8k_frame_is_like_a_small_one(bundle_path: Path, astronaut: np.ndarray) -> None:
    large = cv2.resize(astronaut, (7680, 4320))
    small = cv2.resize(astronaut, (1280, 720))
    with Pipeline.load(bundle_path) as pipeline:
        (one,), (other,) = pipeline.process(large).faces, pipeline.process(small).faces
    eye_distance = np.linalg.norm(other.landmarks[33, :2] - other.landmarks[263, :2])
    assert np.abs(one.landmarks[:, :2] / 6 - other.landmarks[:, :2]).max() < 0.05 * eye_distance


def test_two_pipelines_run_in_two_threads(bundle_path: Path, astronaut: np.ndarray) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def count_faces(_: int) -> int:
        with Pipeline.load(bundle_path) as pipeline:
            return sum(len(pipeline.process(astronaut).faces) for _ in range(4))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(count_faces, range(2))) == [4, 4]


def test_nothing_is_written_to_stderr(bundle_path: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), astronaut)
    program = (
        "import sys, cv2; from edgeau import Pipeline\n"
        "with Pipeline.load(sys.argv[1]) as pipeline:\n"
        "    for _ in range(5): print(len(pipeline.process(cv2.imread(sys.argv[2])).faces))\n"
    )
    arguments = [sys.executable, "-c", program, str(bundle_path), str(tmp_path / "face.png")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"] * 5
    assert done.stderr == ""


def test_a_real_video_has_its_face_in_nearly_every_frame(bundle_path: Path, shared_data: Path) -> None:
    with (
        Pipeline.load(bundle_path, max_faces=1) as pipeline,
        open_source(str(shared_data / "real-face.mp4")) as source,
    ):
        results = list(pipeline.stream(source))
    assert len(results) == 472
    assert sum(len(result.faces) == 1 for result in results) >= 465
    assert len({face.track_id for result in results for face in result.faces}) == 1


class Recorder(Landmarker):
    """Remembers what it was asked for, and finds nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, int | None]] = []

    def find(
        self, frame: np.ndarray, *, far: bool = False, most: int | None = None, **options: object
    ) -> list[FaceLandmarks]:
        self.asked.append((far, most))
        return []

    def smallest(self, *, far: bool) -> float:
        return 0.025 if far else 0.115

    def describe(self) -> str:
        return "a recorder"

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("max_faces", "pictures", "live"), [(None, 100, 4), (2, 2, 2), (30, 30, 30)])
@pytest.mark.parametrize("far", [None, True, False])
def test_how_many_and_how_small_faces_are_looked_for(
    bundle_path: Path, max_faces: int | None, pictures: int, live: int, far: bool | None
) -> None:
    recorder, frame = Recorder(), Frame(0, 0.0, np.zeros((40, 50, 3), np.uint8), "frame")
    detector = AUDetector.load(bundle_path, color="BGR")
    with FrameStages(detector, max_faces=max_faces, far=far, landmarker=lambda _: recorder) as stages:
        stages.start(static=True, live=False)
        stages.find(frame, static=True)
        stages.start(live=False)
        stages.find(frame)
        assert (stages.most_faces(), stages.smallest_face()) == (pictures, 0.115 if far is False else 0.025)
        stages.start(live=True)
        stages.find(frame)
        assert (stages.most_faces(), stages.smallest_face()) == (live, 0.025 if far else 0.115)
    searched = far is not False
    assert recorder.asked == [(searched, pictures), (searched, pictures), (far is True, live)]


def test_points_of_a_cameras_small_picture_lie_in_the_middle_of_the_pixels_that_it_was_made_of(
    bundle_path: Path,
) -> None:
    class Spot(Recorder):
        """A landmarker whose points are all on the brightest pixel."""

        def find(
            self, frame: np.ndarray, *, far: bool = False, most: int | None = None, **options: object
        ) -> list[FaceLandmarks]:
            down, across = np.unravel_index(frame[..., 0].argmax(), frame.shape[:2])
            first, apart = np.array((across, down, 2.0)), np.array((1.0, 1.0, 0.0))
            points = first + np.linspace(0, 1, 478)[:, None] * apart
            return [FaceLandmarks(points.astype(np.float32))]

    image = np.zeros((120, 320, 3), np.uint8)
    image[45:48, 100:102] = 255  # one pixel of the small picture
    small = cv2.resize(image, (160, 40), interpolation=cv2.INTER_AREA)
    detector = AUDetector.load(bundle_path, color="BGR")
    with FrameStages(detector, landmarker=lambda _: Spot()) as stages:
        stages.start()
        (face,) = stages.find(Frame(0, 0.0, image, "frame", small=small))
    np.testing.assert_allclose(face.landmarks[0], (100.5, 46.0, 4.0))


def test_small_faces_cannot_be_asked_of_a_landmarker_that_finds_none(bundle_path: Path) -> None:
    class Near(Recorder):
        def smallest(self, *, far: bool) -> float:
            return 0.115

    detector = AUDetector.load(bundle_path, color="BGR")
    with pytest.raises(
        DependencyError, match=r"with a recorder, which finds them from 11\.5% .*edgeau\[litert\]"
    ):
        FrameStages(detector, far=True, landmarker=lambda _: Near())
    with FrameStages(AUDetector.load(bundle_path, color="BGR"), landmarker=lambda _: Near()) as stages:
        stages.start(static=True, live=False)
        assert stages.smallest_face(static=True) == 0.115


def test_a_group_is_not_cut_to_four(bundle_path: Path, astronaut: np.ndarray) -> None:
    face = cv2.resize(astronaut[0:260, 90:350], (130, 130), interpolation=cv2.INTER_AREA)
    row = np.concatenate([face] * 4, axis=1)
    with Pipeline.load(bundle_path) as pipeline:
        assert len(pipeline.process(np.concatenate([row, row], axis=0)).faces) == 8


def test_a_time_is_a_number_of_seconds(bundle_path: Path, astronaut: np.ndarray) -> None:
    with Pipeline.load(bundle_path, threads=1, max_faces=1) as pipeline:
        assert '"time_s":1.5,' in pipeline.process(astronaut, time_s=np.float32(1.5)).to_json()
        for call in (pipeline.process, pipeline.track):
            for time_s in (float("nan"), float("inf")):
                with pytest.raises(InputError, match="finite number of seconds, got"):
                    call(astronaut, time_s=time_s)


def test_a_picture_by_itself_takes_nothing_from_a_stream(bundle_path: Path, astronaut: np.ndarray) -> None:
    """Its time is another clock's, after which the stream's tracks are not gone."""

    def tracked(pipeline: Pipeline, *, beside: bool) -> list[dict]:
        pipeline.reset()
        found = []
        for number in range(4):
            found += pipeline.track(np.roll(astronaut, 20 * number, axis=1), time_s=number / 25).to_dict()[
                "faces"
            ]
            if beside:
                pipeline.process(astronaut[:300], time_s=1e6)
        return found

    with Pipeline.load(bundle_path, threads=1, max_faces=1) as pipeline:
        assert tracked(pipeline, beside=True) == tracked(pipeline, beside=False)


def test_no_faces_at_most_make_no_sense(bundle_path: Path) -> None:
    with pytest.raises(UsageError, match="max_faces must be 1 or more, got 0"):
        Pipeline.load(bundle_path, max_faces=0)


@pytest.mark.parametrize("what", ["clip", [np.zeros((4, 6, 3), np.uint8)]])
def test_what_is_no_source_is_named(bundle_path: Path, what: object) -> None:
    with (
        Pipeline.load(bundle_path, threads=1, max_faces=1) as pipeline,
        pytest.raises(UsageError, match=f"not from a {type(what).__name__}: open it with edgeau.open_source"),
    ):
        next(pipeline.stream(what))
