"""The rooms import each other only along the arrows, and the check that says so can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
[importlinter]
root_packages =
    edgeau
    edgeau_export
    edgeau_calibration
    edgeau_training
    edgeau_apps

[importlinter:contract:arrows]
name = arrows
type = layers
layers =
    edgeau_apps
    edgeau_export
    edgeau_training | edgeau_calibration
    edgeau
"""


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("edgeau", "import edgeau_export"),
        ("edgeau_calibration", "import edgeau_training"),
        ("edgeau_training", "import edgeau_calibration"),
        ("edgeau_training", "import edgeau_export"),
    ],
)
def test_an_import_against_the_arrows_is_refused(tmp_path: Path, room: str, line: str) -> None:
    for name in ("edgeau", "edgeau_export", "edgeau_calibration", "edgeau_training", "edgeau_apps"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(line if name == room else "")
    (tmp_path / "linter.ini").write_text(CONFIG)
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [program, "--config", "linter.ini"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
