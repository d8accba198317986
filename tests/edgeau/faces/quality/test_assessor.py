"""A face that can be read is read; what cannot is refused with the reason, and only what is touched."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from edgeau import Pipeline, open_source
from edgeau.action_units.names import DEFAULT, NAMES, labels
from edgeau.errors import UsageError
from edgeau.faces.alignment import Alignment
from edgeau.faces.quality import Limits, QualityAssessor
from edgeau.faces.quality.assessor import AU_REGIONS, REGIONS
from edgeau.results import REASONS, ActionUnit, Box, FaceQuality, HeadPose

BROWS = {"AU1", "AU2", "AU4"}
EYES = {"AU5", "AU6", "AU7", "AU43"}
MOUTH = {"AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23", "AU24", "AU25", "AU26"}
ALL = set(DEFAULT)


def assess(
    frame: np.ndarray,
    landmarks: np.ndarray,
    pose: HeadPose | None = None,
    limits: Limits | None = None,
) -> FaceQuality:
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    box = Box(*low.tolist(), *(high - low).tolist())
    crop = Alignment().crop(frame, landmarks)
    return QualityAssessor(DEFAULT, limits).assess(frame, landmarks, box, crop, pose)


def painted(frame: np.ndarray, landmarks: np.ndarray, points: tuple[int, ...], colour) -> np.ndarray:
    hull = cv2.convexHull(landmarks[list(points), :2].astype(np.int32))
    return cv2.fillConvexPoly(frame.copy(), hull, colour)


MASK = (6, 118, 132, 172, 136, 150, 149, 152, 378, 379, 365, 397, 361, 347)
GLASSES = (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300, 346, 330, 197, 101, 117)


def test_a_real_face_that_can_be_read_is_read(astronaut, astronaut_landmarks) -> None:
    quality = assess(astronaut, astronaut_landmarks, HeadPose(-7, -1, 3))
    assert not quality.refused
    assert not quality.covered
    assert set(quality.visible.values()) == {1.0}
    assert quality.size == pytest.approx(43.6, abs=0.5)


CHANGES = {
    "size": lambda frame, marks: (
        cv2.resize(frame, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA),
        marks * 0.3,
    ),
    "blur": lambda frame, marks: (cv2.GaussianBlur(frame, (0, 0), 3.5), marks),
    "dark": lambda frame, marks: (
        np.clip(frame * 0.06 + np.random.default_rng(0).normal(0, 3, frame.shape), 0, 255).astype(np.uint8),
        marks,
    ),
    "bright": lambda frame, marks: (np.clip(frame * 4.0, 0, 255).astype(np.uint8), marks),
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_bad_picture_is_refused_as_a_whole(astronaut, astronaut_landmarks, reason: str) -> None:
    frame, landmarks = CHANGES[reason](astronaut, astronaut_landmarks)
    assert assess(frame, landmarks.astype(np.float32)).refused == dict.fromkeys(DEFAULT, reason)


@pytest.mark.parametrize("pose", [HeadPose(0, 60, 0), HeadPose(0, -60, 0), HeadPose(50, 0, 0)])
def test_a_turned_head_is_refused_and_a_tilted_one_is_not(
    astronaut, astronaut_landmarks, pose: HeadPose
) -> None:
    assert set(assess(astronaut, astronaut_landmarks, pose).refused.values()) == {"pose"}
    assert not assess(astronaut, astronaut_landmarks, HeadPose(0, 0, 80)).refused


@pytest.mark.parametrize(
    ("side", "region", "touched"),
    [("below", "mouth", MOUTH), ("above", "brows", BROWS)],
)
def test_what_is_outside_of_the_frame_is_refused_and_the_rest_is_read(
    astronaut, astronaut_landmarks, side: str, region: str, touched: set[str]
) -> None:
    height = int(np.median(astronaut_landmarks[list(REGIONS[region]), 1]))
    if side == "below":
        frame, landmarks = astronaut[:height], astronaut_landmarks
    else:
        frame, landmarks = astronaut[height:], astronaut_landmarks - np.float32((0, height, 0))
    refused = assess(np.ascontiguousarray(frame), landmarks).refused
    assert touched <= set(refused)
    assert not (EYES & set(refused)) or side == "above"
    assert set(refused.values()) == {"out of frame"}
    assert set(refused) != ALL


@pytest.mark.parametrize("colour", [(200, 170, 130), (240, 240, 240), (20, 20, 20), (40, 160, 40)])
def test_a_mask_hides_the_mouth_and_not_the_brows(astronaut, astronaut_landmarks, colour) -> None:
    refused = assess(painted(astronaut, astronaut_landmarks, MASK, colour), astronaut_landmarks).refused
    assert set(refused) >= MOUTH
    assert not set(refused) & BROWS
    assert set(refused.values()) == {"occluded"}


def test_sunglasses_hide_the_eyes_and_not_the_mouth(astronaut, astronaut_landmarks) -> None:
    refused = assess(
        painted(astronaut, astronaut_landmarks, GLASSES, (15, 15, 15)), astronaut_landmarks
    ).refused
    assert set(refused) == EYES
    assert set(refused.values()) == {"occluded"}


def test_the_light_s_colour_is_no_cover(astronaut, astronaut_landmarks) -> None:
    for gains in ((1, 0.6, 0.5), (0.4, 0.7, 1), (0.6, 1, 0.6)):
        tinted = (astronaut * np.array(gains)).astype(np.uint8)
        assert not assess(tinted, astronaut_landmarks).covered


@pytest.mark.parametrize("gain", [1.5, 2.0, 2.5])
def test_overexposed_skin_is_no_cover(astronaut, astronaut_landmarks, gain: float) -> None:
    bright = np.clip(astronaut * gain, 0, 255).astype(np.uint8)
    assert not assess(bright, astronaut_landmarks).covered


def test_a_white_mask_in_bright_light_is_a_cover(astronaut, astronaut_landmarks) -> None:
    masked = painted(astronaut, astronaut_landmarks, MASK, (255, 255, 255))
    assert "mouth" in assess(masked, astronaut_landmarks).covered


def test_an_au_may_have_limits_of_its_own(astronaut, astronaut_landmarks) -> None:
    limits = Limits(of_au={12: {"min_size": 100}})
    assert assess(astronaut, astronaut_landmarks, limits=limits).refused == {"AU12": "size"}


def test_without_limits_nothing_is_refused(astronaut, astronaut_landmarks) -> None:
    for change in CHANGES.values():
        frame, landmarks = change(astronaut, astronaut_landmarks)
        quality = assess(frame, landmarks.astype(np.float32), HeadPose(80, 80, 80), Limits.none())
        assert not quality.refused


def test_a_refused_au_has_no_numbers_and_the_reason(astronaut, astronaut_landmarks) -> None:
    quality = assess(astronaut, astronaut_landmarks, limits=Limits(of_au={12: {"min_size": 100}}))
    units = {label: ActionUnit(label, 0.7, active=True, intensity=0.5) for label in DEFAULT}
    refused = quality.refuse(units)
    assert (refused["AU12"].probability, refused["AU12"].active, refused["AU12"].intensity) == (
        None,
        None,
        None,
    )
    assert refused["AU12"].reason == "size"
    assert refused["AU1"] is units["AU1"]
    assert list(refused) == list(DEFAULT)


def test_every_au_that_is_named_shows_somewhere() -> None:
    faces = {number for number in NAMES if number < 50}
    assert faces == set(AU_REGIONS)
    assert {region for regions in AU_REGIONS.values() for region in regions} == set(REGIONS)
    QualityAssessor(labels(NAMES))
    assert set(CHANGES) < set(REASONS)


def test_it_takes_well_under_a_millisecond(astronaut, astronaut_landmarks) -> None:
    low, high = astronaut_landmarks[:, :2].min(axis=0), astronaut_landmarks[:, :2].max(axis=0)
    box, crop = Box(*low, *(high - low)), Alignment().crop(astronaut, astronaut_landmarks)
    assessor, best = QualityAssessor(DEFAULT), 1.0
    for _ in range(5):
        start = time.thread_time()
        for _ in range(40):
            assessor.assess(astronaut, astronaut_landmarks, box, crop, HeadPose(0, 0, 0))
        best = min(best, (time.thread_time() - start) / 40)
    assert best < 0.5e-3


def test_the_pipeline_refuses_what_cannot_be_read(bundle_path, astronaut) -> None:
    with Pipeline.load(bundle_path) as pipeline:
        (face,) = pipeline.process(astronaut).faces
        assert all(unit.probability is not None for unit in face.aus.values())
        assert face.quality is not None
        (blurred,) = pipeline.process(cv2.GaussianBlur(astronaut, (0, 0), 3.5)).faces
        assert {unit.reason for unit in blurred.aus.values()} == {"blur"}
    with Pipeline.load(bundle_path, limits=Limits.none()) as pipeline:
        (face,) = pipeline.process(cv2.GaussianBlur(astronaut, (0, 0), 3.5)).faces
        assert all(unit.reason is None for unit in face.aus.values())


@pytest.mark.parametrize("name", ["clip", "real-face.mp4"])
def test_good_films_lose_nothing(bundle_path, shared_data, name: str) -> None:
    with (
        Pipeline.load(bundle_path, max_faces=1) as pipeline,
        open_source(name if name == "clip" else shared_data / name) as source,
    ):
        seen = 0
        for frame in source:
            if frame.index % 12 == 0:
                for face in pipeline.process(frame.image, time_s=frame.time_s).faces:
                    assert face.quality is not None
                    assert not face.quality.refused
                    seen += 1
        assert seen >= 10


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"of_au": {"AU12": {"min_size": 100}}}, "go by number, such as 12; got 'AU12'"),
        ({"of_au": {12: {"min_siz": 100}}}, "no limit 'min_siz' .of AU12.; there are min_size, max_yaw"),
        ({"min_size": float("nan")}, "min_size is not a number"),
        ({"of_au": {12: {"min_size": float("nan")}}}, "min_size is not a number"),
    ],
)
def test_limits_that_would_limit_nothing_are_refused(limits: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Limits(**limits)


def test_numbers_of_numpy_name_an_au_too() -> None:
    assert Limits(of_au={np.int64(12): {"min_size": 100}}).for_au(12).min_size == 100
