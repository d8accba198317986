from __future__ import annotations

from edgeau.results import Box
from edgeau.tracks import FaceTracks


def box(x: float, size: float = 100, y: float = 0) -> Box:
    return Box(x, y, size, size)


def test_faces_keep_their_numbers_in_any_order() -> None:
    tracks = FaceTracks()
    assert tracks.update([box(0), box(300)]) == [0, 1]
    assert tracks.update([box(310), box(20)]) == [1, 0]
    assert tracks.update([box(40), box(600), box(320)]) == [0, 2, 1]


def test_the_nearest_face_takes_the_number() -> None:
    tracks = FaceTracks()
    tracks.update([box(0)])
    assert tracks.update([box(60), box(10)]) == [1, 0]


def test_a_face_returns_after_a_short_absence_and_not_after_a_long_one() -> None:
    tracks = FaceTracks()
    tracks.update([box(0)])
    for _ in range(15):
        assert tracks.update([]) == []
    assert tracks.update([box(0)]) == [0]
    for _ in range(16):
        tracks.update([])
    assert tracks.update([box(0)]) == [1]


def test_another_size_or_place_is_another_face() -> None:
    tracks = FaceTracks()
    tracks.update([box(0)])
    assert tracks.update([box(0, size=250)]) == [1]
    assert tracks.update([box(0, y=500)]) == [2]


def test_boxes_without_size_do_no_harm() -> None:
    tracks = FaceTracks()
    assert tracks.update([box(0, size=0)]) == [0]
    assert tracks.update([box(0, size=0)]) == [1]
