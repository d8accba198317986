"""Pictures that continue the one before are not searched again, and no other picture has anything of the one before."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.landmarker import Landmarker
from edgeau.faces.landmarks.litert import picture_sequence
from edgeau.sources import open_source

pytest.importorskip("ai_edge_litert")
pytest.importorskip("mediapipe")


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    with open_source("clip") as source:
        return [frame.image for frame in itertools.islice(source, 40)]


@pytest.fixture
def pictures() -> Iterator[Landmarker]:
    with open_landmarker(kind="litert", static=True) as landmarker:
        yield landmarker


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets a number for every search of a whole picture."""
    searches: list[int] = []
    search = picture_sequence.faces_of_picture

    def counted(*given, **options):
        searches.append(len(searches))
        return search(*given, **options)

    monkeypatch.setattr(picture_sequence, "faces_of_picture", counted)
    return searches


def points(landmarker: Landmarker, picture: np.ndarray) -> np.ndarray:
    (face,) = landmarker.find(picture, follow=True)
    return face.points


def alone(landmarker: Landmarker, picture: np.ndarray) -> np.ndarray:
    (face,) = landmarker.find(picture)
    return face.points


def loop(landmarker: Landmarker, clip: list[np.ndarray]) -> None:
    """Give the pictures until they are followed; the last is the clip's last."""
    for frame in clip[-2 * picture_sequence.RUN :]:
        landmarker.find(frame, follow=True)


def test_a_loop_over_a_film_is_searched_in_its_beginning_alone(
    pictures: Landmarker, clip: list[np.ndarray], searched: list[int]
) -> None:
    followed = [points(pictures, frame) for frame in clip]
    assert len(searched) == picture_sequence.RUN
    with open_landmarker(kind="litert", static=True) as other:
        by_themselves = [alone(other, frame) for frame in clip]
    eyes = np.linalg.norm(followed[0][33, :2] - followed[0][263, :2])
    apart = np.linalg.norm(np.array(followed)[..., :2] - np.array(by_themselves)[..., :2], axis=2)
    assert apart.mean() < 0.03 * eyes


def test_a_picture_given_twice_gets_the_same_answer(pictures: Landmarker, astronaut: np.ndarray) -> None:
    np.testing.assert_array_equal(points(pictures, astronaut), points(pictures, astronaut))


def test_after_a_cut_nothing_of_the_picture_before_is_used(
    pictures: Landmarker, clip: list[np.ndarray], astronaut: np.ndarray, searched: list[int]
) -> None:
    height, width = clip[0].shape[:2]
    different = [
        np.ascontiguousarray(clip[0][:, ::-1]),
        cv2.resize(astronaut, (width, height)),
        cv2.convertScaleAbs(clip[0], alpha=0.6),
        np.ascontiguousarray(clip[0][: height - 2]),
    ]
    expected = [alone(pictures, picture) for picture in different]
    del searched[:]
    for picture, answer in zip(different, expected, strict=True):
        pictures.reset()
        loop(pictures, clip[::-1])
        np.testing.assert_array_equal(points(pictures, picture), answer)
    assert len(searched) == (picture_sequence.RUN + 1) * len(different)


def test_copies_of_a_picture_are_each_looked_at_by_themselves(
    pictures: Landmarker, astronaut: np.ndarray
) -> None:
    """Each of many copies in other qualities is compared with the picture itself, as tests and converters do."""
    expected = alone(pictures, astronaut)
    for quality in range(60, 100, 3):
        np.testing.assert_array_equal(points(pictures, astronaut), expected)
        _, content = cv2.imencode(".jpg", astronaut, [cv2.IMWRITE_JPEG_QUALITY, quality])
        copy = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
        with open_landmarker(kind="litert", static=True) as other:
            by_itself = alone(other, copy)
        np.testing.assert_array_equal(points(pictures, copy), by_itself)


def test_another_face_at_the_same_place_is_another_picture(
    pictures: Landmarker, clip: list[np.ndarray], astronaut: np.ndarray
) -> None:
    """The worst case of a cut: everything else of the picture stays as it is."""
    before = clip[0]
    one, other = (np.array(alone(pictures, picture)[:468, :2]) for picture in (before, astronaut))
    placed, _ = cv2.estimateAffinePartial2D(other, one)
    mask = np.zeros(astronaut.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(other).astype(np.int32)), 255)
    size = before.shape[1::-1]
    inside = cv2.warpAffine(mask, placed, size)[..., None] > 0
    after = np.where(inside, cv2.warpAffine(astronaut, placed, size), before)
    expected = alone(pictures, after)
    loop(pictures, clip[::-1])
    np.testing.assert_array_equal(points(pictures, after), expected)


def test_a_face_that_leaves_is_searched_for(
    pictures: Landmarker, clip: list[np.ndarray], searched: list[int]
) -> None:
    loop(pictures, clip[::-1])
    gone = cv2.GaussianBlur(clip[0], (0, 0), 60)
    assert pictures.find(gone, follow=True) == []
    assert len(searched) == picture_sequence.RUN + 1


def test_a_second_face_that_comes_is_found(clip: list[np.ndarray], searched: list[int]) -> None:
    beside = [np.concatenate((frame, np.zeros_like(frame)), axis=1) for frame in clip[:8]]
    both = [np.concatenate((frame, frame[:, ::-1]), axis=1) for frame in clip[8:12]]
    with open_landmarker(kind="litert", static=True, max_faces=3) as pictures:
        counts = [len(pictures.find(frame, follow=True)) for frame in (*beside, *both)]
    assert counts == [1] * 8 + [2] * 4
    assert len(searched) == picture_sequence.RUN


def test_a_pipeline_in_a_loop_and_after_reset(
    bundle_path: Path, clip: list[np.ndarray], searched: list[int]
) -> None:
    with Pipeline.load(bundle_path, max_faces=1) as pipeline:
        faces = [pipeline.process(frame).faces[0] for frame in clip[:10]]
        assert len(searched) == picture_sequence.RUN
        assert all(face.track_id is None for face in faces)
        pipeline.reset()
        (again,) = pipeline.process(clip[1]).faces
    assert len(searched) == picture_sequence.RUN + 1
    with Pipeline.load(bundle_path, max_faces=1) as fresh:
        (by_itself,) = fresh.process(clip[1]).faces
    np.testing.assert_array_equal(again.landmarks, by_itself.landmarks)


def test_pictures_of_a_folder_are_each_searched(
    bundle_path: Path, clip: list[np.ndarray], tmp_path: Path, searched: list[int]
) -> None:
    """Their results depend neither on their order nor on where an interrupted run began again."""
    for number in range(8):
        cv2.imwrite(str(tmp_path / f"{number}.png"), clip[number])
    with Pipeline.load(bundle_path, max_faces=1) as pipeline, open_source(str(tmp_path)) as source:
        list(pipeline.stream(source))
    assert len(searched) == 8


def test_different_real_people_one_after_the_other(shared_data: Path) -> None:
    """All cut to the same size, so that faces lie at the same places: each gets the answer that it gets by itself."""
    photos = [
        cv2.resize(cv2.imread(str(file)), (256, 256))
        for file in sorted((shared_data / "real-faces-a").glob("*.jpg"))
    ]
    with (
        open_landmarker(kind="litert", static=True) as one,
        open_landmarker(kind="litert", static=True) as other,
    ):
        for photo in photos:
            followed, by_itself = one.find(photo, far=True, follow=True), other.find(photo, far=True)
            assert len(followed) == len(by_itself)
            for face, expected in zip(followed, by_itself, strict=True):
                np.testing.assert_array_equal(face.points, expected.points)
