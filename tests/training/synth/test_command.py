"""edgeau-synth says what it needs, what it did, and shows it."""

from __future__ import annotations

import json

import cv2
import pytest

from edgeau_training.synth.command import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: RIG"),
        (["rig"], "nothing to render"),
        (["rig", "--out", "x"], "give the number of faces"),
        (["rig", "--out", "x", "--count", "-3"], "whole number from 0 on, got '-3'"),
        (["rig", "--out", "x", "--count", "many"], "many"),
        (["rig", "--out", "x", "--count", "3", "--size", "10"], "below 64 pixels"),
        (["rig", "--clip", "c.mp4", "--contact-sheet", "s.png"], "shows a data set"),
        (["nowhere", "--out", "x", "--count", "3"], "no such folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert words in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_small_set_with_a_contact_sheet_as_json(tiny_rig, rig_cache, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    arguments = [str(tiny_rig), "--out", str(tmp_path / "set"), "--count", "8", "--workers", "1", "--json"]
    assert main([*arguments, "--contact-sheet", str(sheet), "--cache", str(rig_cache), "--size", "96"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dataset"]["counts"] == {"train": 8, "val": 0, "test": 1}
    assert document["dataset"]["rendered_now"] == 9
    assert cv2.imread(str(sheet)).shape == (300, 256 * 8, 3)


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "example:\n  edgeau-synth ICT-FaceKit --out" in capsys.readouterr().out


def test_a_plate_of_every_au(tiny_rig, rig_cache, tmp_path, monkeypatch, capsys):
    from edgeau_training.synth import plate

    monkeypatch.setattr(plate, "SIDE", 24)
    monkeypatch.setattr(plate, "SHOWN", (12, 23))
    assert main([str(tiny_rig), "--plate", str(tmp_path / "plate"), "--cache", str(rig_cache)]) == 0
    assert {path.name for path in (tmp_path / "plate").iterdir()} == {"rest.webp", "AU12.webp", "AU23.webp"}
    smile = cv2.imread(str(tmp_path / "plate" / "AU12.webp"))
    assert smile.shape == (24, 120, 3)
    assert cv2.imread(str(tmp_path / "plate" / "AU23.webp")).shape == (24, 96, 3), "it has no sides"
    assert "3 pictures" in capsys.readouterr().out
