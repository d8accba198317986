from __future__ import annotations

from pathlib import Path

import pytest

from edgeau._system.tool_environment import FOLDER_VARIABLE, TOOLS, tool_versions, tools_folder
from edgeau.errors import DependencyError
from edgeau.runtimes.table import runtimes
from edgeau_export.command import main
from edgeau_export.progress import ProgressReporter
from edgeau_export.tools import making


@pytest.mark.parametrize(
    ("target", "tool"), [("ethos-u", "vela"), ("rockchip", "rknn"), ("rk3588", "rknn"), ("executorch",) * 2]
)
def test_an_absent_tool_is_one_line_with_the_command_that_makes_it(
    no_tools: Path, tmp_path: Path, capsys, target: str, tool: str
) -> None:
    assert main(["--target", target, "--out", str(tmp_path / "bundle")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert f"edgeau-export --make-tool {tool}" in said[0]
    assert TOOLS[tool].licence in said[0]
    assert str(no_tools) in said[0]
    assert not (tmp_path / "bundle").exists()


def test_the_option_names_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys, no_tools: Path
) -> None:
    place = tmp_path / "elsewhere"
    assert main(["--target", "ethos-u", "--tools", str(place), "--out", str(tmp_path / "bundle")]) == 2
    assert str(place) in capsys.readouterr().err


def test_an_unknown_tool_lists_the_known_ones(no_tools: Path, capsys) -> None:
    assert main(["--make-tool", "hammer"]) == 2
    assert "there is no tool 'hammer'; there are vela, rknn, executorch" in capsys.readouterr().err


def test_nothing_is_left_of_a_tool_that_cannot_be_installed(
    no_tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(no_tools))
    with pytest.raises(DependencyError, match="ethos-u-vela.* could not be made: "):
        making.make_tool("vela", ProgressReporter(silent=True))
    assert not (no_tools / "vela").exists()


def test_a_machine_without_a_fitting_python_says_which_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making.shutil, "which", lambda name: None)
    with pytest.raises(DependencyError, match=r"has wheels for Python 3\.6, 3\.7, and none"):
        making._python((7, 6), "A tool")


def test_without_the_variable_tools_are_the_users_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert tools_folder() == tmp_path / "edgeau" / "tools"
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    assert tools_folder() == Path.home() / ".local/share/edgeau/tools"


def test_an_environment_without_its_tool_counts_as_none(no_tools: Path) -> None:
    (no_tools / "vela" / "bin").mkdir(parents=True)
    (no_tools / "vela" / "bin" / "python").touch()
    assert tool_versions("vela") == {}


def test_every_tool_serves_a_runtime_and_says_its_licence() -> None:
    assert {row.tool for row in runtimes().values() if row.tool} == set(TOOLS)
    assert all(tool.licence and tool.terms and "==" in tool.requirements[0] for tool in TOOLS.values())
