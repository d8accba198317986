"""The tools that an export needs, asked for before any work."""

from __future__ import annotations

from edgeau._system.tool_environment import TOOLS, tool_python
from edgeau.runtimes.table import runtime_named
from edgeau_export.progress import ProgressReporter
from edgeau_export.targets.selection import SelectedArtifacts

__all__ = ["require_tools"]


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
