"""The live pipeline with MediaPipe and a real engine."""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline, open_source
from edgeau.sources import Frame


def test_a_clip_played_as_a_camera_is_one_track_with_ages(bundle_path: Path) -> None:
    with Pipeline.load(bundle_path, max_faces=1) as pipeline:
        with open_source("clip", real_time=True) as source:
            results = list(islice(pipeline.stream(source), 60))
        counters = pipeline.live.snapshot()
    assert {face.track_id for result in results for face in result.faces} == {0}
    times = [result.time_s for result in results]
    assert times == sorted(times)
    assert all(result.age_s > 0 and result.captured_s is not None for result in results)
    assert counters.captured == counters.processed + sum(counters.dropped.values()) + counters.failed
    assert counters.landmarks_s > 0
    answers = [face.aus["AU12"].probability for result in results for face in result.faces]
    assert sum(probability is not None for probability in answers) > 50


def test_live_and_offline_say_the_same_about_a_frame(bundle_path: Path, astronaut: np.ndarray) -> None:
    with Pipeline.load(bundle_path, max_faces=1, filters=()) as pipeline:
        offline = [result.faces[0] for result in pipeline.stream(open_source([astronaut] * 12))]
        live = list(pipeline.stream(open_source([astronaut] * 12, real_time=True, fps=4)))
    fresh = [result for result in live if result.faces[0].aus_time_s == result.time_s]
    assert len(fresh) > 3
    for result in fresh:
        np.testing.assert_array_equal(result.faces[0].landmarks, offline[result.index].landmarks)
        assert result.faces[0].aus == offline[result.index].aus
        np.testing.assert_array_equal(
            result.faces[0].network_logits,
            offline[result.index].network_logits,
            "what a neutral face is collected from",
        )
    repeated = [face for result in live for face in result.faces if face.aus_time_s != result.time_s]
    assert all(face.network_logits is None for face in repeated)


def test_streams_may_follow_one_another_live_and_offline(bundle_path: Path) -> None:
    with Pipeline.load(bundle_path, max_faces=1) as pipeline:
        for real_time in (True, False, True):
            with open_source("clip", real_time=real_time) as source:
                results = list(islice(pipeline.stream(source), 5))
            assert [face.track_id for result in results for face in result.faces] == [0] * 5


def test_faces_are_found_in_the_small_picture_and_cut_from_the_large(
    bundle_path: Path, astronaut: np.ndarray
) -> None:
    large = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(astronaut, (384, 384), interpolation=cv2.INTER_AREA)
    whole = Frame(0, 0.0, large, "")
    with Pipeline.load(bundle_path) as pipeline:
        (alone,) = pipeline.stages.find(whole, static=True)
        (face,) = pipeline.stages.find(dataclasses.replace(whole, small=small), static=True)
    eyes = np.linalg.norm(alone.landmarks[33, :2] - alone.landmarks[263, :2])
    assert np.abs(face.landmarks - alone.landmarks)[:, :2].mean() < 0.03 * eyes
    assert np.abs(face.landmarks - alone.landmarks)[:, 2].mean() < 0.1 * eyes


def test_a_frame_whose_size_changes_does_no_harm(bundle_path: Path, astronaut: np.ndarray) -> None:
    sizes = (512, 200, 360, 512)
    frames = [cv2.resize(astronaut, (size, size)) for size in sizes for _ in range(3)]
    with Pipeline.load(bundle_path, max_faces=1) as pipeline:
        results = list(pipeline.stream(open_source(frames, real_time=True, fps=8)))
    assert len(results) >= 10
    assert sum(len(result.faces) for result in results) >= len(results) - 3


def test_a_pipeline_that_is_closed_in_the_middle_ends_its_stream(bundle_path: Path) -> None:
    pipeline = Pipeline.load(bundle_path, max_faces=1)
    with open_source("clip", real_time=True, repeat=True) as source:
        stream = pipeline.stream(source)
        next(stream)
        pipeline.close()
        assert list(stream) == []


@pytest.mark.parametrize("real_time", [True, False])
def test_the_six_lines_of_the_readme(bundle_path: Path, real_time: bool) -> None:
    seen = []
    with Pipeline.load(bundle_path) as pipeline, open_source("clip", real_time=real_time) as source:
        for result in pipeline.stream(source):
            for face in result.faces:
                smile = face.aus["AU12"]
                seen.append((result.index, face.track_id, smile.probability, smile.active, smile.reason))
            if result.index > 25:
                break
    assert len(seen) > 5
