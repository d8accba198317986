from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeau.bundle.packaged import PACKAGED
from edgeau.faces.landmarks.mediapipe_models import installed_models
from tests.arm import frame_count, frame_guest
from tests.arm.counting import nested_spans
from tests.arm.frame_count import middle_frame, page_part
from tests.arm.guest_packages import install_alone

_FRAME = [
    ("frame", True),
    ("landmarks", True),
    ("net", True),
    ("net", False),
    ("landmarks", False),
    ("frame", False),
]


def test_parts_are_counted_without_those_inside_them() -> None:
    marks = [*_FRAME, ("nothing", True), ("nothing", False), *_FRAME]
    counts = [100, 110, 130, 1130, 1135, 1137, 2000, 2003, 3000, 3001, 3003, 3006, 3010, 3015]
    first, nothing, second = nested_spans(marks, counts)
    assert first == {"frame": 12, "landmarks": 25, "net": 1000}
    assert sum(first.values()) == 1137 - 100
    assert nothing == {"nothing": 3}
    assert second == {"frame": 6, "landmarks": 6, "net": 3}


def test_a_part_that_comes_twice_is_summed() -> None:
    marks = [("frame", True), ("net", True), ("net", False), ("net", True), ("net", False), ("frame", False)]
    assert nested_spans(marks, [0, 1, 11, 12, 32, 33]) == [{"frame": 3, "net": 30}]


@pytest.mark.parametrize(
    ("marks", "counts", "said"),
    [
        (_FRAME, [1, 2, 3], "3 counts of 6 marks"),
        (_FRAME[:1], [1], "'frame' does not end"),
        ([("frame", True), ("net", False)], [1, 2], "'net' ends, which did not begin last"),
        ([("frame", False)], [1], "'frame' ends"),
    ],
)
def test_marks_that_cannot_be_are_refused(
    marks: list[tuple[str, bool]], counts: list[int], said: str
) -> None:
    with pytest.raises(RuntimeError, match=said):
        nested_spans(marks, counts)


def test_the_middle_frame_keeps_its_own_parts() -> None:
    frames = [{"frame": 9, "net": 100}, {"frame": 1, "net": 101}, {"frame": 5, "net": 100}]
    assert middle_frame(frames) == {"frame": 5, "net": 100}


@pytest.mark.parametrize("bundle", PACKAGED)
def test_the_guest_marks_every_part_of_every_counted_frame(bundle: str, tmp_path: Path) -> None:
    networks = installed_models()
    if networks is None:
        pytest.skip("needs an installed mediapipe")
    pictures = frame_count.decode_clip(tmp_path / "frames", 3)
    out = tmp_path / "out.json"
    frame_guest.main(bundle, str(networks), str(pictures), "1", str(out))
    told = json.loads(out.read_text())
    assert told["faces"] == [1, 1, 1]
    assert told["artifact"] == "model.int8.tflite"
    spans = nested_spans(told["marks"], range(len(told["marks"])))
    assert [set(span) for span in spans] == [set(frame_count._PARTS), {"nothing"}] * 2


def test_the_table_adds_up() -> None:
    now = {
        "landmark networks": 60_000_000,
        "landmarks": 3_000_000,
        "AU network": 122_000_000,
        "AU session": 3_000_000,
        "landmark model": 0,
        "frame": 5_000_000,
    }
    before = {**now, "frame": 7_000_000}
    case = {"board": "raspberrypi5", "cpu": "cortex-a76", "bundle": "default", "mark_pair": 3000}
    report = {
        "machine": "a machine",
        "date": "2026-11-30",
        "qemu": "7.2",
        "guest": {
            "system": "Debian",
            "packages": {"numpy": "1", "opencv_python_headless": "4", "ai_edge_litert": "2"},
        },
        "landmarks": {"file": "f.task", "sha256": ""},
        "before": "e8bfd848aaaa",
        "cases": [
            {**case, "side": side, "middle": middle, "frames": [middle] * 3}
            for side, middle in (("now", now), ("before", before))
        ],
    }
    text = page_part(report)
    assert "--against e8bfd84`" in text
    assert "| raspberrypi5 (cortex-a76), million instructions | default, now | default, before |" in text
    assert "| **whole frame** | 193.00 | 195.00 |" in text
    assert "| edgeau's own work | 11.00 | 13.00 |" in text


def test_a_wheel_alone_brings_nothing_else(wheel: Path, tmp_path: Path) -> None:
    install_alone(wheel, tmp_path)
    assert (tmp_path / "edgeau" / "default" / "model.int8.tflite").is_file()
    assert not (tmp_path / "numpy").exists()


def test_an_unknown_commit_is_named() -> None:
    with pytest.raises(SystemExit, match="no commit nonsense"):
        frame_count._full_commit("nonsense")


def test_frames_have_a_middle_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        frame_count._options(["--landmarks", str(tmp_path), "--frames", "4"])
    assert "an odd number from 3 on, got 4" in capsys.readouterr().err
