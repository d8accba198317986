"""What an export does with a user's calibration data before it calibrates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.selection import Activity
from edgeau_export.command import main
from edgeau_export.export import export_bundle
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.face_crops import HELD_OUT, calibration_crops

WANTED = 128 + HELD_OUT


def choose(file: Path, **options: object) -> object:
    return calibration_crops(
        file, Alignment(), 128, HELD_OUT, ProgressReporter(silent=True), insist=True, **options
    )


def by_brightness(crops: np.ndarray) -> Activity:
    """Stands in for a network: AU1 acts in bright crops, AU2 in dark ones."""
    light = crops.mean(axis=(1, 2, 3))
    return Activity(("AU1", "AU2"), np.stack((light > 140, light < 70), axis=1), "somebody")


def test_shuffled_channels_are_refused_and_nothing_is_written(
    tmp_path: Path, persons_crops: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "bgr.npz", crops=persons_crops[::4, :, :, ::-1])
    out = tmp_path / "b"
    arguments = ["--target", "cpu", "--calib", str(tmp_path / "bgr.npz"), "--out", str(out)]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "bgr.npz would give a wrong calibration: channel-order" in said
    assert "look like BGR" in said
    assert not out.exists()


def test_copies_are_left_out_and_the_rule_says_so(tmp_path: Path, persons_crops: np.ndarray) -> None:
    file = tmp_path / "copies.npz"
    np.savez(file, crops=np.concatenate((persons_crops[:30], persons_crops[:10])))
    found = choose(file)
    assert (len(found), found.rule) == (30, "10 near-duplicates left out")


def test_the_crops_are_chosen_so_that_the_aus_act(tmp_path: Path, persons_crops: np.ndarray) -> None:
    file = tmp_path / "many.npz"
    many = np.concatenate((persons_crops, persons_crops[:, :, ::-1]))
    np.savez(file, crops=many)
    found = choose(file, activity_of=by_brightness)
    assert len(found) == WANTED
    assert found.rule == f"{WANTED} of 320 looked at, balanced over 2 AUs by somebody"
    every, chosen = by_brightness(many).active, by_brightness(found.crops).active
    assert chosen[:, 1].sum() > 0.9 * every[:, 1].sum(), "dark crops are rare"


def test_faces_without_expressions_are_refused_unless_the_user_knows_better(
    tmp_path: Path, persons_crops: np.ndarray
) -> None:
    file = tmp_path / "faces.npz"
    np.savez(file, crops=persons_crops[:40])

    def neutral(crops: np.ndarray) -> Activity:
        return Activity(("AU1", "AU2"), np.zeros((len(crops), 2), bool), "somebody")

    with pytest.raises(
        CalibrationError, match=r"2 of 2 AUs are active in no crop.*--calib-accept inactive-aus"
    ):
        choose(file, activity_of=neutral)
    assert len(choose(file, activity_of=neutral, accepted=("inactive-aus",))) == 40


def test_a_trained_network_chooses_the_crops_and_the_manifest_says_how_they_were_chosen(
    tmp_path: Path, packaged_decided: Path, persons_crops: np.ndarray
) -> None:
    file = tmp_path / "faces.npz"
    np.savez(file, crops=persons_crops[::4], persons=np.arange(40))
    manifest = export_bundle("cpu", tmp_path / "b", calib=file, accepted=("inactive-aus",))
    int8 = next(item for item in manifest.artifacts if item.precision == "int8")
    assert int8.parity is not None
    assert int8.parity.decision_flips <= 0.02, "the budget, on the 13 crops that were held out"
    assert int8.calibration is not None
    assert int8.calibration.rule == "40 of 40 looked at, balanced over 12 AUs by the float network"


def test_one_person_is_refused_and_the_user_may_insist(tmp_path: Path, persons_crops: np.ndarray) -> None:
    file = tmp_path / "one.npz"
    np.savez(file, crops=persons_crops[:20], persons=np.zeros(20, np.int64))
    with pytest.raises(
        CalibrationError, match=r"one\.npz would give a wrong calibration: one-person: all 20 crops"
    ):
        choose(file)
    assert len(choose(file, accepted=("one-person",))) == 20


@pytest.mark.parametrize(("crops", "said"), [((0, 1), "divided by 255"), ((-2, 2), "normalised already")])
def test_floats_say_what_was_done_to_them(tmp_path: Path, crops: tuple[float, float], said: str) -> None:
    file = tmp_path / "floats.npz"
    np.savez(file, crops=np.random.default_rng(0).uniform(*crops, (9, 224, 224, 3)).astype(np.float32))
    with pytest.raises(CalibrationError, match=f"{said}.*uint8 0..255"):
        choose(file)
