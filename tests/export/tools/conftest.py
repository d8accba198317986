"""Environments of compilers: those of this machine, or made for the tests where pip can."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeau._system.tool_environment import FOLDER_VARIABLE, TOOLS, tool_versions
from edgeau.errors import DependencyError
from edgeau_export.progress import ProgressReporter
from edgeau_export.tools.making import make_tool


@pytest.fixture(scope="session")
def vela(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Vela is small enough to be installed for a test run."""
    if tool_versions("vela"):
        yield
        return
    before = os.environ.get(FOLDER_VARIABLE)
    os.environ[FOLDER_VARIABLE] = str(tmp_path_factory.mktemp("tools"))
    try:
        make_tool("vela", ProgressReporter(silent=True))
        yield
    except DependencyError as error:
        pytest.skip(f"Vela cannot be fetched: {error}")
    finally:
        os.environ.pop(FOLDER_VARIABLE)
        if before is not None:
            os.environ[FOLDER_VARIABLE] = before


def needs(tool: str) -> None:
    """Skip a slow proof where a tool of gigabytes is not there."""
    if not tool_versions(tool):
        pytest.skip(f"{TOOLS[tool].title} is not here; {TOOLS[tool].make_line} fetches gigabytes")


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "no-tools"))
    return tmp_path / "no-tools"
