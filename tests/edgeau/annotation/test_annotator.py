"""The annotated picture keeps the frame free of text, has one size a frame size, and shows what it is given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT
from edgeau.annotation import Annotator, palette
from edgeau.annotation.annotator import Layout
from edgeau.annotation.card import chosen
from edgeau.results import ActionUnit, Box, Face, FrameResult

THRESHOLDS = dict.fromkeys(DEFAULT, 0.5)


def a_face(
    x: float = 40,
    top: float = 30,
    size: float = 60,
    active: bool = True,
    track_id: int | None = None,
    **unit,
) -> Face:
    angle = np.linspace(0, 2 * np.pi, 478)
    xy = np.stack((np.cos(angle), np.sin(angle)), axis=1) * size / 2 + (x + size / 2, top + size / 2)
    landmarks = np.hstack((xy, np.zeros((478, 1)))).astype(np.float32)
    probability = 0.8 if active else 0.2
    aus = {label: ActionUnit(label, probability, active=active, **unit) for label in DEFAULT}
    return Face(Box(x, top, size, size), landmarks, track_id, None, aus)


def frame(*faces: Face) -> FrameResult:
    return FrameResult(0, 0.0, 0.0, 0, faces)


def count(picture: np.ndarray, colour: palette.Colour) -> int:
    return int((picture == colour).all(axis=2).sum())


@pytest.mark.parametrize(
    "size", [(64, 48), (640, 480), (1920, 1080), (90, 1600), (1600, 90), (7680, 4320), (1, 1)]
)
@pytest.mark.parametrize("warning", [None, "UNTRAINED"])
def test_the_size_follows_from_the_frame_s_alone_and_suits_video_codecs(size, warning) -> None:
    annotator = Annotator(THRESHOLDS, warning)
    width, height = annotator.size(*size)
    assert width % 2 == height % 2 == 0
    assert Layout.of(*size, banner=False).columns.size >= 10, "smaller letters cannot be read"
    if size[0] * size[1] > 1e7:
        return
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for result in (frame(), frame(a_face()), frame(*[a_face(x=10 * i) for i in range(9)])):
        assert annotator.draw(image, result).shape == (height, width, 3)


def test_the_frame_stays_as_it_is_but_for_the_outline_and_the_input_is_not_touched() -> None:
    image = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    before = image.copy()
    picture = Annotator(THRESHOLDS).draw(image, frame(a_face(100, 100, 200)))
    assert (image == before).all()
    changed = (picture[:600, :800] != image).any(axis=2)
    assert changed.any()
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 90
    assert rows.max() <= 310
    assert columns.min() >= 90
    assert columns.max() <= 310


def test_active_units_stand_out_and_inactive_ones_do_not() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    annotator = Annotator(THRESHOLDS)
    assert count(annotator.draw(image, frame(a_face(active=True))), palette.ACTIVE) > 500
    assert count(annotator.draw(image, frame(a_face(active=False))), palette.ACTIVE) == 0


def test_a_warning_is_shown_on_every_picture_also_without_a_face() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    assert count(Annotator(THRESHOLDS, "UNTRAINED").draw(image, frame()), palette.WARNING) > 5000
    assert count(Annotator(THRESHOLDS).draw(image, frame()), palette.WARNING) == 0


def test_each_face_has_its_colour_on_its_outline_and_its_card() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    faces = (a_face(40, track_id=0), a_face(240, track_id=1))
    picture = Annotator(THRESHOLDS).draw(image, frame(*faces))
    card = picture[:, 640:]
    for number in (0, 1):
        assert count(card, palette.face_colour(number)) > 20


def test_the_same_track_keeps_its_colour() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    picture = Annotator(THRESHOLDS).draw(image, frame(a_face(track_id=3)))
    assert count(picture[:, 640:], palette.face_colour(3)) > 20
    assert count(picture[:, 640:], palette.face_colour(0)) == 0


def test_a_small_card_shows_the_most_probable_units_in_their_own_order() -> None:
    aus = {label: ActionUnit(label, 0.1, active=False) for label in DEFAULT}
    aus["AU4"] = ActionUnit("AU4", None, None, reason="pose")
    aus["AU25"] = ActionUnit("AU25", 0.9, active=True)
    aus["AU12"] = ActionUnit("AU12", 0.95, active=True)
    face = Face(Box(0, 0, 1, 1), np.zeros((478, 3), np.float32), None, None, aus)
    assert [unit.name for unit in chosen(face, 3)] == ["AU12", "AU25"]
    assert [unit.name for unit in chosen(face, 18)] == list(DEFAULT)
    assert "AU4" not in [unit.name for unit in chosen(face, 18 - 1)]


def test_a_face_that_leaves_the_frame_is_drawn_as_far_as_it_is_in_it() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    annotator = Annotator(THRESHOLDS)
    for left, top in ((-200, -200), (-40, 100), (620, 460), (900, 900)):
        annotator.draw(image, frame(a_face(left, top, 80), a_face(300, 200)))


def test_every_refused_unit_names_its_reason_instead_of_a_bar() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    aus = {label: ActionUnit(label, None, None, reason="pose") for label in DEFAULT}
    face = Face(Box(40, 30, 60, 60), a_face().landmarks, None, None, aus)
    picture = Annotator(THRESHOLDS).draw(image, frame(face))
    assert count(picture, palette.ACTIVE) == 0
    blank = {label: ActionUnit(label, 0.0, active=False) for label in DEFAULT}
    other = Annotator(THRESHOLDS).draw(image, frame(Face(face.box, face.landmarks, None, None, blank)))
    assert (picture != other).any()


def test_the_sides_of_an_au_are_two_arms_the_person_s_right_one_on_the_left() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    annotator = Annotator({})

    def arms(left: float, right: float) -> tuple[int, int]:
        strip = annotator.draw(image, frame(a_face(active=True, left=left, right=right)))[:, 640:]
        lit = (strip == palette.ACTIVE).all(axis=2).sum(axis=0)
        size = Layout.of(640, 480, banner=False).columns
        middle = size.margin + size.bar[0] + size.bar[1] // 2
        return int(lit[middle:].sum()), int(lit[:middle].sum())

    of_left, of_right = arms(left=0.9, right=0.1)
    assert of_left > 4 * of_right > 0
    assert arms(left=0.1, right=0.9) == pytest.approx((of_right, of_left), rel=0.1)
    both = arms(left=0.5, right=0.5)
    assert both[0] == pytest.approx(both[1], rel=0.1)


@pytest.mark.parametrize("warning", [None, "UNTRAINED"])
@pytest.mark.parametrize("size", [(160, 120), (640, 480), (1280, 720)])
@pytest.mark.parametrize("active", ["AU1", "AU12", "AU43"])
def test_the_unit_at_a_point_is_the_one_whose_bar_is_drawn_there(active, size, warning) -> None:
    annotator = Annotator(THRESHOLDS, warning)
    quiet = a_face(active=False, track_id=7)
    aus = {**quiet.aus, active: ActionUnit(active, 0.9, active=True)}
    result = frame(dataclasses.replace(quiet, aus=aus))
    picture = annotator.draw(np.zeros((size[1], size[0], 3), np.uint8), result)
    rows, columns = np.nonzero((picture == palette.ACTIVE).all(axis=2))
    points = list(zip(columns.tolist(), rows.tolist(), strict=True))
    found = [annotator.unit_at(*size, result, at) for at in points]
    assert {(face.track_id, unit.name) for face, unit in found} == {(7, active)}
    assert annotator.unit_at(*size, result, (0, picture.shape[0] - 1)) is None, "the frame holds no rows"
    assert annotator.unit_at(*size, frame(), (int(columns[0]), int(rows[0]))) is None


def test_the_unit_at_a_point_is_of_the_card_that_is_there() -> None:
    annotator = Annotator(THRESHOLDS)
    faces = [a_face(x=80 * i, track_id=i) for i in range(3)]
    width, height = annotator.size(640, 480)
    seen = [annotator.unit_at(640, 480, frame(*faces), (width - 40, y)) for y in range(height)]
    assert list(dict.fromkeys(hit[0].track_id for hit in seen if hit is not None)) == [0, 1, 2]


@pytest.mark.parametrize("size", [(5000, 1), (32766, 20), (1, 5000)])
def test_a_long_thin_frame_does_not_take_gigabytes(size) -> None:
    width, height = Annotator(THRESHOLDS).size(*size)
    assert width * height < 2e7
    image = np.zeros((size[1], size[0], 3), np.uint8)
    assert Annotator(THRESHOLDS).draw(image, frame(a_face())).shape == (height, width, 3)
