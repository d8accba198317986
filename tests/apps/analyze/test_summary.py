"""A run without --out prints faces and AUs, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT, facs_name
from edgeau.results import ActionUnit, Box, Face, FrameResult
from edgeau_apps.analyze.command import main
from edgeau_apps.analyze.summary import FaceSummaries


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_picture_is_printed_with_the_name_of_each_au(picture, bundle, elsewhere, capsys) -> None:
    assert main([str(picture), "--bundle", str(bundle), "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{picture}: 1 face"
    assert lines[1].startswith("  face 1, ")
    for label, line in zip(DEFAULT, lines[2:], strict=True):
        assert line.startswith(f"    {label:<6}{facs_name(label)}")
    assert list(elsewhere.iterdir()) == []


def test_its_json_has_the_same_faces(picture, bundle, elsewhere, capsys) -> None:
    assert main([str(picture), "--bundle", str(bundle), "--threads", "1", "--json"]) == 0
    (done,) = json.loads(capsys.readouterr().out)["inputs"]
    assert done["files"] == {}
    (face,) = done["faces"]
    assert list(face["aus"]) == list(DEFAULT)
    assert face["aus"]["AU12"]["name"] == "Lip corner puller"
    assert 0 < face["aus"]["AU12"]["probability"] < 1
    assert list(elsewhere.iterdir()) == []


def test_a_film_is_summed_up_by_face(film, bundle, elsewhere, capsys) -> None:
    assert main([str(film), "--bundle", str(bundle), "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"{film}: 12 frames, 6 with a face", "  face 1, in 6 of 12 frames"]
    assert "of the time active, at most 0." in lines[2]


@pytest.mark.parametrize("option", ["--annotate", "--pose", "--events", "--resume", "--status"])
def test_what_is_about_files_needs_a_folder(option, picture, elsewhere, capsys) -> None:
    assert main([str(picture), option]) == 2
    assert "give a folder for them with --out DIR" in capsys.readouterr().err


def test_a_broken_off_film_is_done_in_part(film, bundle, elsewhere, capsys) -> None:
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert main([str(film), "--bundle", str(bundle), "--threads", "1"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{film}: ")
    assert captured.err.startswith("edgeau-analyze: ")


def test_shares_are_of_the_frames_in_which_an_au_was_read() -> None:
    summaries = FaceSummaries()
    seen = (
        ActionUnit("AU12", 0.9, active=True),
        ActionUnit("AU12", 0.2, active=False),
        ActionUnit("AU12", None, None, reason="pose"),
    )
    for index, au in enumerate(seen):
        summaries.add(frame(index, au))
    assert summaries.lines(3) == [
        "  face 1, in 3 of 3 frames",
        "    AU12  Lip corner puller   50% of the time active, at most 0.900",
    ]
    assert FaceSummaries().lines(3) == []


def frame(index: int, au: ActionUnit) -> FrameResult:
    landmarks = np.zeros((478, 3), np.float32)
    face = Face(Box(1, 2, 3, 4), landmarks, 7, None, {au.name: au})
    return FrameResult(index, index / 10, 0.0, 0, (face,))
