"""Every install line that edgeau prints or shows resolves on every Python it is meant for, as pip's own resolver says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.matrix.install_lines import InstallLine, extras, install_lines
from tests.matrix.pythons import PROMISED, interpreter
from tests.matrix.run import build_wheel

# Requirements that pin a board's own system, and the Python of that system.
_ONLY = {
    "onnxruntime==1.23.2": ("3.10",),  # JetPack 6
    "cuda-python>=12.6,<13": ("3.10",),
    "cuda-python>=13": ("3.12",),  # JetPack 7
    "numpy<2": ("3.10", "3.11"),  # JetPack 6, and Raspberry Pi OS Bookworm
}
LINES = install_lines()


def pythons(line: InstallLine) -> tuple[str, ...]:
    allowed = [_ONLY[other] for other in line.others]
    return tuple(version for version in PROMISED if all(version in each for each in allowed))


def named(line: InstallLine) -> str:
    return " ".join((line.extras, *line.others))


def test_every_extra_that_is_named_is_one() -> None:
    assert len(LINES) > 15, "the lines were found"
    unknown = {
        extra: file for line, file in LINES.items() for extra in set(line.extras.split(",")) - extras()
    }
    assert unknown == {}


def test_no_line_asks_for_mediapipe_but_where_it_is_the_subject() -> None:
    """It costs 1.2 GB, doubles OpenCV, and no device needs it."""
    asking = {file for line, file in LINES.items() if "mediapipe" in line.extras.split(",")}
    assert asking <= {"edgeau/faces/landmarks/__init__.py", "docs/installing.md", "README.md"}


def test_every_line_is_for_some_python() -> None:
    for line, file in LINES.items():
        assert pythons(line), f"{file}: {named(line)} is for no promised Python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", PROMISED)
@pytest.mark.parametrize("line", [pytest.param(line, id=named(line)) for line in sorted(LINES)])
def test_it_resolves(line: InstallLine, version: str, wheel: Path, tmp_path: Path) -> None:
    if version not in pythons(line):
        pytest.skip(f"a board's line, for Python {', '.join(pythons(line))} only")
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    report = tmp_path / "report.json"
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--report",
        str(report),
    ]
    done = subprocess.run(
        [*command, f"{wheel}[{line.extras}]", *line.others], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    chosen = [item["metadata"]["name"].lower() for item in json.loads(report.read_text())["install"]]
    opencv = [name for name in chosen if re.match(r"opencv[-_]", name)]
    # mediapipe asks for the contrib flavour, whatever one does.
    assert len(opencv) == 1 or "mediapipe" in chosen, opencv
    assert len(chosen) > 2
