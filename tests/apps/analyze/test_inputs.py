"""Which files arguments name, and how their tables are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeau_apps.analyze.inputs import find_inputs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "a.png",
        "b.JPG",
        "film.mp4",
        "notes.txt",
        "deep/c.png",
        "deep/a.png",
        "a.annotated.png",
        "empty/x.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a.png"], ["a"]),
        (["film.mp4", "a.png"], ["film", "a"]),
        (["."], ["a", "b", "film"]),
        (["deep"], ["a", "c"]),
        (["*.png"], ["a"]),
        (["**/*.png"], ["a", "a-2", "c"]),
        ([".", "a.png"], ["a", "b", "film"]),
        (["a.png", "deep/a.png"], ["a", "a-2"]),
        (["deep/a.png", "a.png"], ["a", "a-2"]),
        (["a.annotated.png"], ["a.annotated"]),
    ],
)
def test_files_are_found_once_in_order_with_distinct_stems(
    folder: Path, names: list[str], stems: list[str]
) -> None:
    inputs, refused = find_inputs(names)
    assert [given.stem for given in inputs] == stems
    assert refused == []


def test_a_number_never_takes_another_file_s_name(folder: Path) -> None:
    for name in ("deep/a-2.png", "A.bmp"):
        (folder / name).write_bytes(b"")
    inputs, _ = find_inputs(["a.png", "deep/a.png", "deep/a-2.png", "A.bmp"])
    assert [given.stem for given in inputs] == ["a", "a-3", "a-2", "A-4"]


def test_kinds_are_told_apart(folder: Path) -> None:
    inputs, _ = find_inputs(["."])
    assert [given.kind for given in inputs] == ["picture", "picture", "video"]


@pytest.mark.parametrize("name", ["missing.png", "", "*.xyz", "empty", "0", "rtsp://camera"])
def test_what_names_nothing_is_refused_by_name_and_the_others_are_found(folder: Path, name: str) -> None:
    inputs, refused = find_inputs([name, "a.png"])
    assert [given.stem for given in inputs] == ["a"]
    assert [item.name for item in refused] == [name]
    assert repr(name) in refused[0].why
