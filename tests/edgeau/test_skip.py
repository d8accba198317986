"""The network is spared faces that did not change, and looks at all others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.action_units.unchanged import UnchangedFaces
from edgeau.errors import UsageError
from edgeau.results import Box, FrameResult
from edgeau.sources import Frame


def noisy(picture: np.ndarray, seed: int, sigma: float = 2.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def film(astronaut: np.ndarray) -> list[np.ndarray]:
    return [noisy(astronaut, seed) for seed in range(12)]


def tracked(pipeline: Pipeline, film: list[np.ndarray], fps: float = 25.0) -> list[FrameResult]:
    return [pipeline.track(picture, time_s=number / fps) for number, picture in enumerate(film)]


def looks(results: list[FrameResult]) -> list[int]:
    """Frames that the network looked at."""
    return [place for place, result in enumerate(results) if result.faces[0].aus_held_s is None]


def test_a_scene_that_stands_still_is_looked_at_once(bundle_path: Path, film: list[np.ndarray]) -> None:
    with Pipeline.load(bundle_path, max_faces=1, skip="on") as pipeline:
        results = tracked(pipeline, film)
    assert len(looks(results)) <= 2  # the first landmarks of a film may still settle
    last = results[-1].faces[0]
    assert last.aus_time_s < last.aus_held_s == results[-1].time_s
    assert last.network_logits is None
    assert last.quality is not None
    assert results[-1].to_dict()["faces"][0]["aus_time_s"] == round(last.aus_time_s, 6)


def test_answers_are_those_of_a_network_that_looks(bundle_path: Path, film: list[np.ndarray]) -> None:
    with (
        Pipeline.load(bundle_path, max_faces=1) as always,
        Pipeline.load(bundle_path, max_faces=1, skip="on") as spared,
    ):
        true, found = tracked(always, film), tracked(spared, film)
    assert looks(true) == list(range(len(film)))
    assert len(looks(found)) < len(film)
    for one, other in zip(true, found, strict=True):
        np.testing.assert_array_equal(one.faces[0].landmarks, other.faces[0].landmarks)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=0.02)


def test_a_change_in_a_part_of_the_face_is_looked_at(bundle_path: Path, film: list[np.ndarray]) -> None:
    changed = [picture.copy() for picture in film]
    for picture in changed[6:]:
        picture[150:170, 195:245] //= 2  # below the mouth
    with Pipeline.load(bundle_path, max_faces=1, skip="on") as pipeline:
        assert 6 in looks(tracked(pipeline, changed))


def test_slow_changes_add_up(bundle_path: Path, film: list[np.ndarray]) -> None:
    darker = [(picture * (1 - 0.02 * step)).astype(np.uint8) for step, picture in enumerate(film)]
    with Pipeline.load(bundle_path, max_faces=1, skip="on") as pipeline:
        assert len(looks(tracked(pipeline, darker))) >= 3


def test_after_two_seconds_the_network_looks_again(bundle_path: Path, film: list[np.ndarray]) -> None:
    with Pipeline.load(bundle_path, max_faces=1, skip="on") as pipeline:
        results = tracked(pipeline, film, fps=2.0)
    gaps = np.diff([*looks(results), len(film)])
    assert gaps.max() <= 5


def test_automatic_is_off_until_the_stream_cannot_keep_its_rate(
    bundle_path: Path, film: list[np.ndarray]
) -> None:
    with Pipeline.load(bundle_path, max_faces=1, skip="auto") as pipeline:
        assert looks(tracked(pipeline, film)) == list(range(len(film)))
        stages = pipeline.stages
        stages.start()
        held = []
        for number, picture in enumerate(film):
            frame = Frame(number, number / 25, picture, "")
            held += [
                face.aus_held_s is not None for face in stages.read(frame, stages.find(frame), loaded=True)
            ]
    assert sum(held) >= len(film) - 2


def test_single_pictures_are_always_looked_at(bundle_path: Path, film: list[np.ndarray]) -> None:
    with Pipeline.load(bundle_path, max_faces=1, skip="on") as pipeline:
        assert all(pipeline.process(picture).faces[0].aus_held_s is None for picture in film[:3])


def test_smoothing_goes_on_while_the_answer_holds(bundle_path: Path, astronaut: np.ndarray) -> None:
    """A value that stands still is reached, as it is when the network looks at every frame."""
    film = [astronaut // 2] * 3 + [astronaut] * 20
    with Pipeline.load(bundle_path, max_faces=1, skip="on") as pipeline:
        results = tracked(pipeline, film)
    assert len(looks(results)) < len(film) / 2
    last = [
        (unit.probability, unit.raw_probability)
        for unit in results[-1].faces[0].aus.values()
        if unit.probability
    ]
    assert last
    assert max(abs(smooth - raw) for smooth, raw in last) < 0.02


def test_an_unknown_choice_is_refused(bundle_path: Path) -> None:
    with pytest.raises(UsageError, match="skip must be one of off, on, auto"):
        Pipeline.load(bundle_path, skip="sometimes")


def test_a_frame_of_another_size_is_looked_at() -> None:
    """A face whose landmarks lie outside a smaller frame: there is nothing to compare."""
    landmarks = np.full((468, 3), 400, np.float32)
    box, unchanged = Box(350, 350, 100, 100), UnchangedFaces[int]()
    unchanged.remember(0, np.zeros((480, 640, 3), np.uint8), landmarks, box, 0.0, 1)
    assert unchanged.last_look(0, np.zeros((480, 640, 3), np.uint8), landmarks, box, 0.1)
    assert unchanged.last_look(0, np.zeros((240, 320, 3), np.uint8), landmarks, box, 0.2) is None
