from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import open_source
from edgeau.bundle import packaged_bundle_path
from tests.arm import debian, guest
from tests.arm.boards import BOARDS, USUAL
from tests.arm.comparison import compare
from tests.arm.counting import build_plugin, million_instructions
from tests.arm.first_start import _doctor
from tests.arm.guest_packages import requirements
from tests.arm.proof import _bundle


def test_each_board_says_its_own_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    pi4, pi5 = (BOARDS[name].cpuinfo() for name in ("raspberrypi4", "raspberrypi5"))
    assert pi4.count("processor\t:") == pi5.count("processor\t:") == 4
    # The dot products that INT8 kernels use are in the Pi 5's processor only.
    assert ("asimddp" in pi4, "asimddp" in pi5) == (False, True)


@pytest.fixture
def answers() -> dict:
    face = {
        "frame": 0,
        "probabilities": {"AU1": 0.2, "AU2": 0.9},
        "decisions": {"AU1": False, "AU2": True},
        "landmarks": [[1.0, 2.0, 3.0]],
    }
    one = {
        "engine": "x",
        "precision": "fp32",
        "labels": ["AU1", "AU2"],
        "probabilities": np.full((60, 2), 0.5).tolist(),
        "decisions": np.ones((60, 2), bool).tolist(),
        "clip": [face],
    }
    return {"artifacts": {"f.onnx": one, "q.onnx": {**copy.deepcopy(one), "precision": "int8"}}}


def test_equal_answers_pass(answers: dict) -> None:
    rows = compare(answers, copy.deepcopy(answers))
    assert [
        (row.artifact, row.passed, row.probabilities, row.max_probability, row.flips) for row in rows
    ] == [
        ("f.onnx", True, 122, 0, 0),
        ("q.onnx", True, 122, 0, 0),
    ]


def test_float_may_not_move_and_int8_may_flip_little(answers: dict) -> None:
    other = copy.deepcopy(answers)
    for answer in other["artifacts"].values():
        answer["clip"][0]["probabilities"]["AU1"] = 0.25
    rows = {row.artifact: row for row in compare(answers, other)}
    assert (rows["f.onnx"].passed, rows["q.onnx"].passed) == (False, True)
    assert rows["f.onnx"].max_probability == pytest.approx(0.05)
    for answer in other["artifacts"].values():
        answer["decisions"][0] = [False, True]
    assert [(row.flips, row.passed) for row in compare(answers, other)] == [(1, False), (1, True)]
    other["artifacts"]["q.onnx"]["decisions"][1] = [False, False]
    assert compare(answers, other)[1].passed is False


def test_a_refusal_and_a_lost_face_do_not_pass(answers: dict) -> None:
    other = copy.deepcopy(answers)
    other["artifacts"]["f.onnx"] = {"fault": "EngineError: no"}
    other["artifacts"]["q.onnx"]["clip"] = []
    refused, lost = compare(answers, other)
    assert (refused.passed, refused.fault) == (False, "EngineError: no")
    assert (lost.passed, lost.fault) == (False, "122 probabilities here, 120 there")


def test_requirements_are_those_of_the_device(tmp_path: Path) -> None:
    wheel = tmp_path / "edgeau-1-py3-none-any.whl"
    lines = [
        "Requires-Dist: numpy>=1.23",
        'Requires-Dist: ai-edge-litert>=2.1; extra == "litert"',
        'Requires-Dist: edgeau[litert]; extra == "onnxruntime"',
        'Requires-Dist: torch>=2.6; extra == "train"',
    ]
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("edgeau-1.dist-info/METADATA", "Name: edgeau\n" + "\n".join(lines) + "\n")
    assert requirements(wheel) == ["numpy>=1.23", "ai-edge-litert>=2.1"]


def test_a_bundle_without_landmark_networks_proves_nothing(tmp_path: Path) -> None:
    options = argparse.Namespace(bundle=packaged_bundle_path(), landmarks=None)
    with pytest.raises(SystemExit, match="without landmark networks"):
        _bundle(options, tmp_path)


def test_every_trial_of_the_doctor_must_end_well() -> None:
    subjects = ("landmarker tried", "artifact tried", "frame tried")
    good = [{"level": "good", "subject": subject, "says": "-"} for subject in subjects]
    slow = {"level": "warning", "subject": "frame tried", "says": "not finished after 60 seconds"}
    wrong = {"level": "problem", "subject": "artifact tried", "says": "model.int8.tflite answers wrongly"}
    assert _doctor(_said(good)) == [f"good: {subject}: -" for subject in subjects]
    with pytest.raises(RuntimeError, match="no success in frame tried.*not finished"):
        _doctor(_said([*good[:2], slow]))
    with pytest.raises(RuntimeError, match="answers wrongly"):
        _doctor(_said([*good, wrong]))
    with pytest.raises(RuntimeError, match="exit 2"):
        _doctor(subprocess.CompletedProcess([], 2, "", "no module"))


def _said(findings: list[dict[str, str]]) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 2, json.dumps({"findings": findings}), "")


def test_the_guest_answers_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    with open_source("clip") as source:
        cv2.imwrite(str(tmp_path / "frames" / "0000.png"), next(iter(source)).image)
    out, artifact = tmp_path / "out.json", "model.int8.tflite"
    guest.main(str(packaged_bundle_path()), artifact, "1", str(tmp_path / "frames"), str(out))
    told = json.loads(out.read_text())
    assert "fault" not in told["artifacts"][artifact]
    assert (len(told["artifacts"][artifact]["clip"]), told["film"]["frames"]) == (1, 1)
    (row,) = compare(told, told)
    assert row.passed


def test_a_mirror_is_always_known() -> None:
    assert debian._mirror().startswith("http")
    assert debian._mirror().endswith("/debian")


@pytest.mark.parametrize("version", ["7.2.22", "9.1.0"])
def test_the_counter_compiles_without_warnings(tmp_path: Path, version: str) -> None:
    if subprocess.run(["which", "gcc"], capture_output=True, check=False).returncode:
        pytest.skip("no gcc")
    assert build_plugin(tmp_path, version).stat().st_size > 0


def test_counts_are_those_between_two_marks(tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    counts.write_text("1000000\n4500000\n9000000\n9700000\n")
    assert million_instructions(counts, ["a", "b"]) == {"a": 3.5, "b": 0.7}
    with pytest.raises(RuntimeError, match="4 marks of 1 artifacts"):
        million_instructions(counts, ["a"])


@pytest.mark.slow
@pytest.mark.timeout(5400)
def test_edgeau_on_true_arm_programs(root: Path, tmp_path: Path) -> None:
    if subprocess.run(["which", "apt-get"], capture_output=True, check=False).returncode:
        pytest.skip("makes its ARM system from Debian packages: needs apt-get")
    report = tmp_path / "report.json"
    command = [
        sys.executable,
        "-m",
        "tests.arm.proof",
        "--out",
        str(report),
        "--work",
        str(tmp_path / "work"),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(report.read_text())
    assert told["first_start"]["passed"]
    assert any("Cortex-A76" in line for line in told["first_start"]["doctor"])
    boards = told["boards"]
    assert set(boards) == set(USUAL)
    for board in boards.values():
        assert board["machine"]["machine"] == "aarch64"
        assert all(row["probabilities"] > 100 for row in board["differences"])
        assert all(count > 100 for count in board["million_instructions"].values())
