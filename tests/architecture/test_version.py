"""There is one version number."""

from __future__ import annotations

import zipfile
from pathlib import Path

import tomllib

import edgeau


def test_the_wheel_has_the_version_of_the_module(wheel: Path) -> None:
    (metadata,) = [n for n in zipfile.ZipFile(wheel).namelist() if n.endswith(".dist-info/METADATA")]
    lines = zipfile.ZipFile(wheel).read(metadata).decode().splitlines()
    assert f"Version: {edgeau.__version__}" in lines


def test_nothing_else_states_it(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert "version" not in project
