"""Tiles that stand still are searched once; what moves or comes is searched again."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.litert.detection import TILES_KEPT, FoundFaces, TileMemory, _corners
from edgeau.sources import open_source

SIDE = 128


@pytest.fixture
def tile() -> np.ndarray:
    wall = np.random.default_rng(0).integers(60, 180, (8, 8, 3), np.uint8)
    return cv2.resize(wall, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def searched() -> tuple[list[np.ndarray], Callable[[np.ndarray], FoundFaces]]:
    tiles: list[np.ndarray] = []

    def search(tile: np.ndarray) -> FoundFaces:
        tiles.append(tile.copy())
        return [(np.zeros((8, 2), np.float32), float(len(tiles)))]

    return tiles, search


def noisy(tile: np.ndarray, seed: int) -> np.ndarray:
    """As a camera in a dim room gives it again."""
    noise = np.random.default_rng(seed).normal(0, 2.5, tile.shape)
    return np.clip(tile + noise, 0, 255).astype(np.uint8)


def test_noise_is_no_change_and_the_faces_are_given_again(tile, searched) -> None:
    tiles, search = searched
    memory = TileMemory()
    answers = [memory.faces("place", noisy(tile, seed), search)[0][1] for seed in range(20)]
    assert answers == [1.0] * 20
    assert len(tiles) == 1


def test_places_are_kept_apart(tile, searched) -> None:
    _, search = searched
    memory = TileMemory()
    assert [memory.faces(place, tile, search)[0][1] for place in "aba"] == [1.0, 2.0, 1.0]


def test_the_smallest_face_that_is_found_in_a_tile_is_a_change(tile, astronaut, searched) -> None:
    """Of 14 pixels, at every place, and before a wall of its own mean colour."""
    _, search = searched
    face = cv2.resize(astronaut[60:200, 150:290], (14, 14), interpolation=cv2.INTER_AREA)
    for left, top in itertools.product(range(0, SIDE - 14, 9), repeat=2):
        for wall in (tile, np.full_like(tile, face.mean(axis=(0, 1)))):
            memory = TileMemory()
            memory.faces("place", wall, search)
            with_face = wall.copy()
            with_face[top : top + 14, left : left + 14] = face
            before = memory.faces("place", wall, search)
            assert memory.faces("place", with_face, search) is not before


def test_what_changes_slowly_is_searched_again(tile, searched) -> None:
    """Compared is what was searched, not the frame before."""
    tiles, search = searched
    memory = TileMemory()
    for step in range(60):
        memory.faces("place", (tile * (1 - step / 120)).astype(np.uint8), search)
    assert len(tiles) > 5


def test_frames_of_many_sizes_do_not_fill_the_memory(tile, searched) -> None:
    """A square frame has the most tiles, 97: they are all kept, and tiles of former sizes make room."""
    tiles, search = searched
    memory = TileMemory()
    for _ in range(2):
        for place in range(97):
            memory.faces(("square", place), tile, search)
    assert len(tiles) == 97
    for size in range(3):
        for place in range(97):
            memory.faces((size, place), tile, search)
    memory.faces(("square", 0), tile, search)
    assert len(tiles) == 4 * 97 + 1
    memory.faces((2, 0), tile, search)
    assert len(tiles) == 4 * 97 + 1


def test_no_frame_has_more_tiles_than_are_kept() -> None:
    most = max(len(list(_corners((3 * SIDE, down)))) for down in range(1, 3 * SIDE + 1))
    most += max(len(list(_corners((6 * SIDE, down)))) for down in range(1, 6 * SIDE + 1))
    assert most == 97 <= TILES_KEPT


def test_the_tile_that_was_given_may_be_written_over(tile, searched) -> None:
    tiles, search = searched
    memory, given = TileMemory(), tile.copy()
    memory.faces("place", given, search)
    given[:] = 0
    memory.faces("place", tile, search)
    assert len(tiles) == 1


def test_a_small_face_that_comes_into_a_still_picture_is_found(astronaut) -> None:
    pytest.importorskip("ai_edge_litert")
    pytest.importorskip("mediapipe")
    room = cv2.resize(np.random.default_rng(1).integers(60, 120, (27, 48, 3), np.uint8), (1920, 1080))
    with open_source("clip") as source:
        head = cv2.resize(next(iter(source)).image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    with_face = room.copy()
    with_face[200 : 200 + head.shape[0], 1300 : 1300 + head.shape[1]] = head
    with open_landmarker(kind="litert", static=False, max_faces=5) as one:
        counts = [
            len(one.find(noisy(frame, n), far=True)) for n, frame in enumerate([room] * 26 + [with_face] * 26)
        ]
    assert counts[:26] == [0] * 26
    assert counts[-1] == 1
