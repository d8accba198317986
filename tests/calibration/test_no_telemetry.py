"""ONNX Runtime reports nothing about the models that are run; its session file is the trace it would leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = {
    "its import by itself": "import onnxruntime",
    "calibration": "import edgeau_calibration.algorithms.ranges",
    "the device library": "from edgeau.runtimes.onnxruntime import _import; _import()",
}


@pytest.mark.parametrize("name", list(PROGRAMS)[1:])
def test_no_session_is_recorded(tmp_path: Path, name: str) -> None:
    if not records(tmp_path, PROGRAMS["its import by itself"]):
        pytest.skip("this build of ONNX Runtime records no session in the first place")
    (tmp_path / ".ses").unlink()
    assert not records(tmp_path, PROGRAMS[name])


def records(folder: Path, program: str) -> bool:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("ORT_DISABLE_TELEMETRY", "CI")
    }
    subprocess.run([sys.executable, "-c", program], env=environment | {"TMPDIR": str(folder)}, check=True)
    return (folder / ".ses").exists()
