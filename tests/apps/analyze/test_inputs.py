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
        (["**/*.png"], ["a", "deep/a", "c"]),
        ([".", "a.png"], ["a", "b", "film"]),
        (["a.png", "deep/a.png"], ["a", "deep/a"]),
        (["deep/a.png", "a.png"], ["deep/a", "a"]),
        (["a.annotated.png"], ["a.annotated"]),
    ],
)
def test_files_are_found_once_in_order_with_distinct_stems(
    folder: Path, names: list[str], stems: list[str]
) -> None:
    found = find_inputs(names)
    assert [given.stem for given in found.inputs] == stems
    assert found.refused == []


def test_a_number_never_takes_another_file_s_name(folder: Path) -> None:
    for name in ("a-2.png", "A.bmp"):
        (folder / name).write_bytes(b"")
    found = find_inputs(["a.png", "a-2.png", "A.bmp"])
    assert [given.stem for given in found.inputs] == ["a", "a-2", "A-3"]


def test_kinds_are_told_apart(folder: Path) -> None:
    assert [given.kind for given in find_inputs(["."]).inputs] == ["picture", "picture", "video"]


@pytest.mark.parametrize("name", ["missing.png", "", "*.xyz", "empty", "0", "rtsp://camera"])
def test_what_names_nothing_is_refused_by_name_and_the_others_are_found(folder: Path, name: str) -> None:
    found = find_inputs([name, "a.png"])
    assert [given.stem for given in found.inputs] == ["a"]
    assert [item.name for item in found.refused] == [name]
    assert repr(name) in found.refused[0].why


def test_what_a_folder_leaves_out_is_named(folder: Path) -> None:
    assert [path.name for path in find_inputs(["."]).left_out] == ["notes.txt"]


def test_a_table_of_events_takes_no_other_film_s_name(folder: Path) -> None:
    (folder / "film.events.mp4").write_bytes(b"")
    found = find_inputs(["film.mp4", "film.events.mp4"])
    assert [given.stem for given in found.inputs] == ["film", "film.events-2"]


def test_long_names_leave_room_for_what_comes_behind_them(folder: Path) -> None:
    names = ["x" * 246 + ".png", "x" * 247 + ".png", "ä" * 120 + ".png"]
    for name in names:
        (folder / name).write_bytes(b"")
    stems = [given.stem for given in find_inputs(names).inputs]
    assert len(set(stems)) == 3
    assert all(len(stem.encode()) <= 200 for stem in stems)


def test_links_that_lead_back_have_an_end(folder: Path) -> None:
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "deep" / "self").symlink_to(folder / "deep")
    assert [given.stem for given in find_inputs(["**/*.png"]).inputs] == ["a", "deep/a", "c"]


@pytest.mark.parametrize("what", ["frames", "frames/*.png", "frames/f%03d.png", "frames/f%d.png"])
def test_a_folder_or_pattern_is_one_film(folder: Path, what: str) -> None:
    (folder / "frames").mkdir()
    for number in range(3):
        (folder / "frames" / f"f{number:03d}.png").write_bytes(b"")
    (found,) = find_inputs([what], sequence=True).inputs
    assert found.kind == "video"
    assert found.stem in ("frames", "f")


def test_what_a_film_of_pictures_leaves_out_is_named(folder: Path) -> None:
    found = find_inputs(["."], sequence=True)
    assert [path.name for path in found.left_out] == ["film.mp4", "notes.txt"]


@pytest.mark.parametrize("what", ["a.png", "empty", "nothing", "f%03d.png"])
def test_what_is_no_film_of_pictures_is_refused(folder: Path, what: str) -> None:
    found = find_inputs([what], sequence=True)
    assert found.inputs == []
    assert "does not match any pictures" in found.refused[0].why


@pytest.mark.parametrize("name", ["deep", "deep/*.png", "**/*.png"])
def test_links_that_lead_nowhere_are_refused_by_name_and_the_others_are_found(
    folder: Path, name: str
) -> None:
    (folder / "deep" / "circle.png").symlink_to("circle.png")
    (folder / "deep" / "gone.png").symlink_to("nowhere.png")
    found = find_inputs([name])
    assert {given.stem.rpartition("/")[2] for given in found.inputs} == {"a", "c"}
    assert sorted(Path(item.name).name for item in found.refused) == ["circle.png", "gone.png"]
    assert all("cannot be read" in item.why for item in found.refused)
