"""Ctrl-C in the middle of an export leaves the place as it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def many_crops(tmp_path: Path, persons_crops: np.ndarray) -> Path:
    """Enough that quantization takes its time."""
    np.savez(tmp_path / "many.npz", crops=persons_crops)
    return tmp_path / "many.npz"


@pytest.mark.parametrize("before", ["nothing", "a bundle"])
def test_an_interrupted_quantization(
    tmp_path: Path, checkpoint: Path, many_crops: Path, seeded_bundle: Path, before: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if before == "a bundle":
        shutil.copytree(seeded_bundle, place / "out")
    stood = tree(place)
    command = [sys.executable, "-m", "edgeau_export.command", "--model", str(checkpoint)]
    command += ["--target", "cpu", "--calib", str(many_crops), "--out", str(place / "out")]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        wait_for(process, scratch, "edgeau-quantize-*")
        time.sleep(0.3)  # into the ranges; artifacts are written when quantization is over
        assert not list(place.glob(".out.*/model.*")), "too late: quantization is over"
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert printed == ""
    assert said.splitlines()[-1] == "edgeau-export: interrupted; nothing half-written was left"
    assert "Traceback" not in said
    assert tree(place) == stood
    assert not list(scratch.iterdir())
    assert [entry.name for entry in place.iterdir()] == (["out"] if before == "a bundle" else [])


def wait_for(process: subprocess.Popen[str], folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"{pattern} never came"
        time.sleep(0.01)
