"""Environments of tools: asked for before an export that needs one, and made of a Python that its wheels are for, and pip."""

from __future__ import annotations

import shutil
import subprocess
import sys

from edgeau._system.tool_environment import TOOLS, tool_python, tool_versions, tools_folder
from edgeau.errors import DependencyError, UsageError
from edgeau.runtimes.table import runtime_named
from edgeau_export.progress import ProgressReporter
from edgeau_export.targets.selection import SelectedArtifacts

__all__ = ["make_tool", "require_tools"]


def require_tools(selected: SelectedArtifacts, progress: ProgressReporter) -> None:
    """Refuse an export whose compilers are not here; name the licences of those that are used.

    Raises:
        DependencyError: a tool's environment is not there; the message has the command that makes it.
    """
    needed = (runtime_named(item.runtime).tool for item in selected.artifacts)
    for name in dict.fromkeys(tool for tool in needed if tool):
        tool_python(name)
        tool = TOOLS[name]
        progress.step(f"{tool.title} is under the licence {tool.licence}: {tool.terms}")


def make_tool(name: str, progress: ProgressReporter) -> None:
    """Make the environment of a tool in :func:`edgeau._system.tool_environment.tools_folder`; one that is there is left as it is.

    Args:
        name: one of :data:`edgeau._system.tool_environment.TOOLS`.
        progress: says what is installed under which licence.

    Raises:
        UsageError: there is no such tool.
        DependencyError: no fitting Python is on this machine, or pip cannot install the tool; nothing is left of it.
    """
    if name not in TOOLS:
        raise UsageError(f"there is no tool {name!r}; there are {', '.join(TOOLS)}")
    tool, folder = TOOLS[name], tools_folder() / name
    if tool_versions(name):
        progress.notice(f"{tool.title} is in {folder} already")
        return
    python = _python(tool.pythons, tool.title)
    progress.notice(
        f"installing {' '.join(tool.requirements)} into {folder}; licence of {tool.title}: {tool.licence}, {tool.terms}"
    )
    try:
        _run([python, "-m", "venv", "--clear", str(folder)], f"an environment in {folder}")
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *tool.requirements]
        _run(pip, " ".join(tool.requirements))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    progress.notice(f"{tool.title} {tool_versions(name)[tool.distribution]} is in {folder}")


def _python(minors: tuple[int, ...], title: str) -> str:
    """This Python where the wheels are for it, else the first on the machine that they are for."""
    if sys.version_info[1] in minors:
        return sys.executable
    for minor in minors:
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    names = ", ".join(f"3.{minor}" for minor in sorted(minors))
    raise DependencyError(
        f"{title} has wheels for Python {names}, and none of them is on this machine; install one"
    )


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise DependencyError(f"{what} could not be made: {last}")
