"""The rooms import each other only along the arrows, and the check that says so can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

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
    _assert_refused(tmp_path)


@pytest.mark.parametrize(
    ("package", "room", "imported"),
    [
        ("edgeau", "errors", "_system"),
        ("edgeau", "runtimes", "bundle"),
        ("edgeau", "faces", "action_units"),
        ("edgeau", "temporal", "pipeline"),
        ("edgeau", "results", "metrics"),
        ("edgeau", "board", "sinks"),
        ("edgeau_calibration", "graph", "recipe"),
        ("edgeau_calibration", "quantizer", "evaluation"),
    ],
)
def test_an_import_against_the_arrows_inside_a_package_is_refused(
    root: Path, tmp_path: Path, package: str, room: str, imported: str
) -> None:
    """With the layers of pyproject.toml itself."""
    linter = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [one for one in linter["contracts"] if one.get("containers") == [package]]
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    for layer in contract["layers"]:
        for name in layer.split(" | "):
            line = f"import {package}.{imported}" if name == room else ""
            (tmp_path / package / f"{name}.py").write_text(line)
    layers = "".join(f"\n    {layer}" for layer in contract["layers"])
    (tmp_path / "linter.ini").write_text(
        f"[importlinter]\nroot_package = {package}\n[importlinter:contract:arrows]\nname = arrows\n"
        f"type = layers\ncontainers = {package}\nlayers ={layers}\n"
    )
    _assert_refused(tmp_path)


def _assert_refused(folder: Path) -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [program, "--config", "linter.ini"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
