"""ONNX Runtime reports nothing about the models that are run; its session file is the trace it would leave."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORT = re.compile(r"^\s*(import|from) onnxruntime\b", re.MULTILINE)
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


def test_no_file_imports_it_unsilenced(root: Path) -> None:
    """In the function that imports it, in the file, or in a package around it."""
    packages = ("edgeau", "apps", "export", "calibration", "training", "benchmarks")
    files = [file for name in packages for file in sorted((root / name).rglob("*.py"))]
    importers = [file for file in files if _IMPORT.search(file.read_text(encoding="utf-8"))]
    assert len(importers) > 8
    unsilenced = []
    for file in importers:
        around = [
            folder / "__init__.py" for folder in file.parents if folder != root and root in folder.parents
        ]
        texts = [one.read_text(encoding="utf-8") for one in (file, *around) if one.is_file()]
        if not any("ORT_DISABLE_TELEMETRY" in text or "silence()\n" in text for text in texts):
            unsilenced.append(str(file.relative_to(root)))
    assert unsilenced == []


def records(folder: Path, program: str) -> bool:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("ORT_DISABLE_TELEMETRY", "CI")
    }
    subprocess.run([sys.executable, "-c", program], env=environment | {"TMPDIR": str(folder)}, check=True)
    return (folder / ".ses").exists()
