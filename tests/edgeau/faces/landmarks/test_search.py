"""Small, many and turned faces are found, and what is no face is not given for one."""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.litert.detection import Candidate
from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker
from edgeau.faces.landmarks.litert.region import Region, is_same_face
from edgeau.sources import open_source

pytest.importorskip("ai_edge_litert")
pytest.importorskip("mediapipe")

SIZE = (1080, 1920)


def landmarker(**options) -> LiteRtLandmarker:
    found = open_landmarker(kind="litert", **options)
    assert isinstance(found, LiteRtLandmarker)
    return found


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    with open_source("clip") as source:
        return [frame.image for frame in itertools.islice(source, 0, 160, 20)]


@pytest.fixture(scope="module")
def heads(clip: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures, and where the landmarks are in them."""
    with landmarker(static=True) as one:
        return [(image, one.detect(image)[0][:, :2]) for image in clip]


def group(
    heads: list[tuple[np.ndarray, np.ndarray]], size: float, count: int, seed: int = 0
) -> tuple[np.ndarray, list[np.ndarray]]:
    """A noisy picture of 1920 x 1080 with faces of a width in pixels, and where their landmarks are."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(60, 120, (*SIZE, 3), np.uint8)
    columns = max(1, int(SIZE[1] // max(size * 2.6, 1)))
    faces = []
    for place in range(count):
        image, points = heads[place % len(heads)]
        factor = size / np.ptp(points[:, 0])
        low = np.maximum(points.min(axis=0) - 0.4 * np.ptp(points, axis=0), 0).astype(int)
        high = (points.max(axis=0) + 0.4 * np.ptp(points, axis=0)).astype(int)
        head = image[low[1] : high[1], low[0] : high[0]]
        head = cv2.resize(head, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        left = int((place % columns) * size * 2.6 + rng.integers(0, max(2, int(size * 0.4))))
        top = int((place // columns) * size * 2.6 + rng.integers(0, max(2, int(size * 0.4))))
        view = picture[top : top + head.shape[0], left : left + head.shape[1]]
        if view.shape != head.shape:
            break
        view[:] = head
        faces.append((points - low) * factor + (left, top))
    return picture, faces


def right_ones(found: list[np.ndarray], faces: list[np.ndarray], tolerance: float = 0.15) -> int:
    """Faces whose landmarks were placed within a share of the distance between their eyes."""
    count = 0
    for face in faces:
        eyes = np.linalg.norm(face[33] - face[263])
        count += any(np.abs(points[:, :2] - face).mean() < tolerance * eyes for points in found)
    return count


@pytest.mark.parametrize("size", [48, 60, 77, 90, 120, 160, 220, 320])
def test_faces_from_a_fortieth_of_the_long_side_on_are_found(
    heads: list[tuple[np.ndarray, np.ndarray]], size: int
) -> None:
    picture, faces = group(heads, size, 6)
    with landmarker(static=True, max_faces=20) as one:
        found = one.find(picture, far=True)
    assert right_ones([face.points for face in found], faces) == len(faces)
    assert len(found) == len(faces)
    assert all(face.is_reliable for face in found)


def test_sixty_faces_in_one_picture(heads: list[tuple[np.ndarray, np.ndarray]]) -> None:
    picture, faces = group(heads, 65, 60)
    assert len(faces) == 60
    with landmarker(static=True, max_faces=100) as one:
        found = [face.points for face in one.find(picture, far=True)]
    assert right_ones(found, faces) >= 58
    assert len(found) <= 61


def test_no_more_faces_than_asked_for(heads: list[tuple[np.ndarray, np.ndarray]]) -> None:
    picture, _ = group(heads, 90, 10)
    with landmarker(static=True, max_faces=3) as one:
        assert len(one.find(picture, far=True)) == 3


def test_small_faces_are_followed_through_a_film(heads: list[tuple[np.ndarray, np.ndarray]]) -> None:
    picture, faces = group(heads, 70, 5)
    with landmarker(static=False, max_faces=10) as one:
        counts = [len(one.find(np.roll(picture, 2 * step, axis=1), far=True)) for step in range(8)]
    assert counts == [len(faces)] * 8


def test_without_far_small_faces_are_not_searched_for(heads: list[tuple[np.ndarray, np.ndarray]]) -> None:
    picture, _ = group(heads, 70, 5)
    with landmarker(static=True, max_faces=10) as one:
        assert one.find(picture) == []
        assert one.smallest(far=True) * 4 < one.smallest(far=False)


def turned(image: np.ndarray, points: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    height, width = image.shape[:2]
    side = int(np.hypot(height, width))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    matrix[:, 2] += ((side - width) / 2, (side - height) / 2)
    picture = cv2.warpAffine(image, matrix, (side, side), borderValue=(90, 90, 90))
    return picture, points @ matrix[:, :2].T + matrix[:, 2]


@pytest.mark.parametrize("angle", range(-165, 181, 15))
def test_a_turned_face_is_read_right(
    heads: list[tuple[np.ndarray, np.ndarray]], astronaut: np.ndarray, angle: int
) -> None:
    with landmarker(static=True) as one:
        real = (astronaut, one.detect(astronaut)[0][:, :2])
        for image, points in (heads[0], heads[4], real):
            picture, face = turned(image, points, angle)
            (found,) = one.find(picture)
            assert found.is_reliable
            assert right_ones([found.points], [face], 0.1) == 1


@pytest.mark.parametrize("angle", [90, 135, 180, 270])
def test_a_turned_film_is_read_right(astronaut: np.ndarray, angle: int) -> None:
    with landmarker(static=True) as one:
        points = one.detect(astronaut)[0][:, :2]
    picture, face = turned(astronaut, points, angle)
    with landmarker(static=False, max_faces=2) as one:
        for _ in range(5):
            (found,) = one.find(picture)
            assert found.is_reliable
            assert right_ones([found.points], [face], 0.1) == 1


def cut_out(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    around = 0.4 * np.ptp(points, axis=0)
    low = np.maximum(points.min(axis=0) - around, 0).astype(int)
    high = (points.max(axis=0) + around).astype(int)
    return image[low[1] : high[1], low[0] : high[0]], points - low


def worsened(image: np.ndarray, how: str) -> np.ndarray:
    if how == "blurred":
        return cv2.GaussianBlur(image, (0, 0), 4)
    if how == "noisy":
        return np.clip(image + np.random.default_rng(0).normal(0, 35, image.shape), 0, 255).astype(np.uint8)
    small = cv2.resize(image, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1])


@pytest.mark.parametrize("how", ["plain", "blurred", "noisy", "small"])
@pytest.mark.parametrize("before", [0, 4], ids=["from the first frame", "comes later"])
def test_a_film_gives_no_garbage_of_faces_on_their_heads(
    heads: list[tuple[np.ndarray, np.ndarray]], how: str, before: int
) -> None:
    for number in (0, 2, 4, 6):
        image, points = cut_out(*heads[number])
        picture, face = turned(image if how == "plain" else worsened(image, how), points, 180)
        with landmarker(static=False, max_faces=4) as one:
            for _ in range(before):
                one.find(np.full_like(picture, 90))
            for frame in range(14):
                found = [each.points for each in one.find(picture) if each.is_reliable]
                assert len(found) <= 1
                assert right_ones(found, [face], 0.1) == len(found), frame
            assert found, "read right in the end"


@pytest.mark.parametrize("seed", range(4))
def test_walls_and_noise_are_no_certain_faces(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (*SIZE, 3), np.uint8)
    blobs = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 8 + 4 * seed), None, 0, 255, cv2.NORM_MINMAX)
    with landmarker(static=True, max_faces=20) as one:
        for picture in (noise, blobs):
            assert not any(face.is_reliable for face in one.find(picture, far=True))


def test_one_face_found_twice_is_one() -> None:
    one = Region(100, 100, 60, 0)
    assert is_same_face(one, Region(104, 98, 50, 1))
    assert is_same_face(one, Region(100, 100, 30, 0)), "a smaller box in its middle"
    assert not is_same_face(one, Region(141, 100, 60, 0)), "shoulder to shoulder"


def test_a_frame_in_which_only_the_followed_face_moves_is_not_searched_again(
    heads: list[tuple[np.ndarray, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a second face that comes into the picture is found in its first frame."""
    image, points = heads[0]
    room = np.full((720, 1280, 3), 90, np.uint8)
    low, high = (points.min(axis=0) - 30).astype(int), (points.max(axis=0) + 30).astype(int)
    head = cv2.resize(image[low[1] : high[1], low[0] : high[0]], (240, 300))
    with landmarker(static=False, max_faces=4) as one:
        searched, counts, real = [], [], one._detector.detect_in_overview
        monkeypatch.setattr(
            one._detector, "detect_in_overview", lambda *given: searched.append(len(counts)) or real(*given)
        )
        for number in range(30):
            frame = room.copy()
            frame[200:500, 100 + number : 340 + number] = head
            if number >= 24:
                frame[200:500, 900:1140] = head
            counts.append(len(one.find(frame)))
    assert counts == [1] * 24 + [2] * 6
    assert len([number for number in searched if number < 24]) <= 4
    assert 24 in searched


@pytest.mark.parametrize(("most", "searched_turns"), [(1, []), (4, [0])])
def test_tiles_are_searched_only_for_what_the_whole_picture_does_not_show(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, most: int, searched_turns: list[int]
) -> None:
    """The picture's face is stretched until the network doubts it, though its landmarks are right."""
    picture = cv2.resize(astronaut, None, fx=1, fy=1.7)
    with landmarker(static=True, max_faces=most) as one:
        points = one.detect(astronaut)[0][:, :2] * (1, 1.7)
        searched, real = [], one._detector.detect_in_tiles

        def search(frame: np.ndarray, quarter_turns: int = 0, *given: object) -> object:
            searched.append(quarter_turns)
            return real(frame, quarter_turns, *given)

        monkeypatch.setattr(one._detector, "detect_in_tiles", search)
        (found,) = one.find(picture, far=True)
        (doubted, *_) = one._detector.detect(picture)
        assert not one._checker.first_look(picture, doubted.region, keep=True).is_certain
    assert found.is_reliable
    assert right_ones([found.points], [points]) == 1
    assert searched == searched_turns


@pytest.mark.parametrize(("score", "is_certain"), [(0.0, False), (0.9, True)])
def test_a_likely_face_that_the_detector_is_sure_of_is_certain(
    astronaut: np.ndarray, score: float, is_certain: bool
) -> None:
    picture = cv2.resize(astronaut, None, fx=1, fy=1.7)
    with landmarker(static=True, max_faces=1) as one:
        (doubted, *_) = one._detector.detect(picture)
        face = one._checker.first_look(picture, doubted.region, keep=True, score=score)
        garbage = one._checker.first_look(
            np.ascontiguousarray(picture[::-1]), Region(256, 436, 400, 0.0), keep=True, score=score
        )
    assert face.is_reliable
    assert face.is_certain is is_certain
    assert garbage is None or not garbage.is_certain


@pytest.mark.parametrize(("score", "searched_turns"), [(0.79, [0, 1, 2, 3]), (0.81, [0])])
def test_turned_tiles_are_not_searched_where_the_detector_is_sure_of_a_doubtful_face(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, score: float, searched_turns: list[int]
) -> None:
    picture = cv2.resize(astronaut, None, fx=1, fy=1.8)
    with landmarker(static=True, max_faces=1) as one:
        real, searched = one._detector.detect, []

        def detect(frame: np.ndarray, quarter_turns: int = 0) -> list[Candidate]:
            return [replace(found, score=score) for found in real(frame, quarter_turns)]

        def search(frame: np.ndarray, quarter_turns: int = 0, *given: object) -> list[Candidate]:
            searched.append(quarter_turns)
            return []

        monkeypatch.setattr(one._detector, "detect", detect)
        monkeypatch.setattr(one._detector, "detect_in_tiles", search)
        (found,) = one.find(picture, far=True)
    assert not found.is_reliable
    assert searched == searched_turns


def test_a_likely_face_of_a_film_is_looked_at_again_only_where_its_certainty_counts(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with landmarker(static=False, max_faces=1) as one:
        monkeypatch.setattr(one._mesh, "certain_presence", 99.0)
        looks, real = [0], one._mesh.presence

        def presence(frame: np.ndarray, region: Region) -> float | None:
            looks[-1] += 1
            return real(frame, region)

        monkeypatch.setattr(one._mesh, "presence", presence)
        for _ in range(11):
            (face,) = one.find(astronaut)
            assert face.is_reliable
            looks.append(0)
    assert looks[1:10] == [1] * 9
    assert looks[10] > 2, "every tenth frame doubtful faces are turned"
