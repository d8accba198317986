"""What open_source takes, and what it says to the rest."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.sources import Frame, open_source
from edgeau.sources.clip import clip_path

BLACK = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("missing.png", "does not exist"),
        ("missing-folder/", "does not exist"),
        ("no/such/*.png", "no pictures"),
        ("", "empty name"),
        ("a" * 300, "cannot be read: File name too long"),
        ("7" * 5000, "cannot be read: File name too long"),
        ("gopher://camera.local/1", "scheme that is not supported"),
        (97, "no camera answers at number 97"),
        ("97", "no camera answers at number 97"),
        (None, "cannot open None"),
        (True, "cannot open True"),
        (3.5, "cannot open a float"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_words(what: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        open_source(what)


def test_a_circle_of_links_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(InputError, match="cannot be read: Too many levels"):
        open_source(tmp_path / "a.png")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures"):
        open_source(tmp_path)


def test_arrays_get_an_index_and_a_time() -> None:
    with open_source([BLACK, BLACK, BLACK]) as source:
        assert source.length == 3
        assert [(frame.index, frame.time_s) for frame in source] == [(0, 0.0), (1, 1 / 30), (2, 2 / 30)]


def test_frames_keep_their_own_index_and_time() -> None:
    frame = Frame(7, 2.5, BLACK, "mine")
    assert list(open_source([frame])) == [frame]


def test_a_generator_is_read_lazily_and_closed() -> None:
    seen = []

    def endless() -> Iterator[np.ndarray]:
        try:
            while True:
                seen.append("read")
                yield BLACK
        finally:
            seen.append("closed")

    with open_source(endless()) as source:
        assert source.length is None
        frames = iter(source)
        next(frames)
        next(frames)
    assert seen == ["read", "read", "closed"]


@pytest.mark.parametrize(
    "bad",
    [
        BLACK[:, :, 0],
        np.zeros((4, 6, 4), np.uint8),
        BLACK.astype(np.float32),
        np.zeros((0, 0, 3), np.uint8),
        "a.png",
        None,
    ],
    ids=["grey", "rgba", "float", "empty", "text", "none"],
)
def test_an_item_that_is_no_frame_is_refused(bad: Any) -> None:
    frames = iter(open_source([BLACK, bad]))
    next(frames)
    with pytest.raises(InputError):
        next(frames)


def test_the_packaged_clip_opens_by_its_name() -> None:
    try:
        clip_path()
    except InputError:
        with pytest.raises(InputError, match="carries no clip"):
            open_source("clip")
        return
    with open_source("clip") as source:
        frames = sum(1 for _ in source)
        assert frames == source.length
        assert source.name == "clip"


@pytest.mark.parametrize("what", ["", "*.png", "**/*.png"])
def test_a_link_that_leads_nowhere_is_named_and_the_others_are_read(tmp_path: Path, what: str) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), BLACK)
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe.png").symlink_to("pipe")  # it would be waited for
    with open_source(str(tmp_path / what)) as source, pytest.raises(InputError) as caught:
        list(source)
    assert "circle.png" in str(caught.value)
    assert "gone.png" in str(caught.value)
    assert "pipe" not in str(caught.value)


def test_a_pattern_goes_through_no_hidden_folders(tmp_path: Path) -> None:
    for folder in ("faces", ".thumbnails", "faces/.Trash-1000"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "a.png"), BLACK)
    with open_source(f"{tmp_path}/**/*.png") as source:
        assert source.length == 1
    with open_source(f"{tmp_path}/.thumbnails/**/*.png") as source:
        assert source.length == 1


@pytest.mark.parametrize("number", [2**31, 10**20])
def test_a_number_that_no_camera_has(number: int) -> None:
    with pytest.raises(InputError, match="no camera has the number"):
        open_source(number)


@pytest.mark.parametrize("what", ["", "missing.png"])
@pytest.mark.parametrize("sequence", [False, True])
def test_a_folder_that_may_not_be_listed_is_said(
    tmp_path: Path, monkeypatch, what: str, sequence: bool
) -> None:
    def closed(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr(os, "scandir", closed)
    monkeypatch.setattr(os, "listdir", closed)  # what Path.iterdir asks
    with pytest.raises(InputError, match="Permission denied|does not exist|does not match"):
        open_source(tmp_path / what, sequence=sequence)
