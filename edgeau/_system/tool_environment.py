"""Tools that cannot live beside edgeau: each in a Python environment of its own, run as a child process with files between.

Compilers of accelerators pin old or new versions of numpy, onnx or torch. The environments are folders of one folder,
``$EDGEAU_TOOLS`` or ``~/.local/share/edgeau/tools``, named after their tool; ``edgeau-export --make-tool NAME`` makes one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from edgeau.errors import DependencyError

__all__ = ["FOLDER_VARIABLE", "TOOLS", "Tool", "tool_python", "tool_versions", "tools_folder"]

FOLDER_VARIABLE = "EDGEAU_TOOLS"
"""Environment variable that names the folder of the tools' environments."""


@dataclass(frozen=True)
class Tool:
    """A tool and what its environment holds.

    Attributes:
        name: of its environment's folder.
        title: for people.
        requirements: for pip; the first is the tool itself.
        pythons: minor versions of Python 3 that its wheels are made for, the preferred one first.
        licence: of the tool.
        terms: what its licence means for who uses it and passes its files on.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    pythons: tuple[int, ...]
    licence: str
    terms: str

    @property
    def distribution(self) -> str:
        """Name of the tool's own package."""
        return self.requirements[0].partition("==")[0]

    @property
    def make_line(self) -> str:
        """The command that makes its environment."""
        return f"edgeau-export --make-tool {self.name}"


_ROWS = (
    Tool(
        name="vela",
        title="Arm's Vela",
        requirements=("ethos-u-vela==5.2.0",),
        pythons=(11, 12, 13, 10),
        licence="Apache-2.0",
        terms="files that it compiles are the user's",
    ),
    Tool(
        name="rknn",
        title="Rockchip's RKNN-Toolkit2",
        # Its wheel asks for pkg_resources without saying so; later versions of setuptools have none.
        requirements=("rknn-toolkit2==2.5.0", "setuptools<81"),
        pythons=(11, 12, 10),
        licence="Rockchip's own",
        terms="its wheel carries no licence text: read Rockchip's before passing the tool or its files on",
    ),
    Tool(
        name="executorch",
        title="ExecuTorch",
        requirements=("executorch==1.5.1", "torch==2.14.1", "onnx==1.21.0"),
        pythons=(11, 12, 13, 10),
        licence="BSD-3-Clause",
        terms="files that it compiles are the user's",
    ),
)

TOOLS: Mapping[str, Tool] = MappingProxyType({row.name: row for row in _ROWS})
"""Every tool by name."""


def tools_folder() -> Path:
    """``$EDGEAU_TOOLS``, or ``edgeau/tools`` in the user's data directory; not made here."""
    given = os.environ.get(FOLDER_VARIABLE, "")
    if given:
        return Path(given).absolute()
    # The XDG base directory specification says to ignore a relative path.
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else Path.home() / ".local" / "share") / "edgeau" / "tools"


def tool_python(name: str) -> Path:
    """The Python of a tool's environment.

    Args:
        name: one of :data:`TOOLS`.

    Raises:
        DependencyError: the environment is not there or lacks the tool; the message has the command that makes it.
    """
    tool = TOOLS[name]
    python = tools_folder() / name / "bin" / "python"
    if tool.distribution not in tool_versions(name):
        raise DependencyError(
            f"{tool.title} ({tool.licence}) is not in {python.parent.parent}; make its environment with: {tool.make_line} "
            f"(another folder: --tools DIR, or {FOLDER_VARIABLE})"
        )
    return python


def tool_versions(name: str) -> dict[str, str]:
    """Version of a tool's own package by its name; empty where its environment is not there. Nothing is imported."""
    tool = TOOLS[name]
    folder = tools_folder() / name
    if not (folder / "bin" / "python").exists():
        return {}
    places = [str(place) for place in folder.glob("lib/python3*/site-packages")]
    found = next(iter(metadata.distributions(name=tool.distribution, path=places)), None)
    return {} if found is None else {tool.distribution: found.version}
