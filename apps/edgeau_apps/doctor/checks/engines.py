"""Engines: what can run a network here."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau._system.tool_environment import TOOLS
from edgeau.runtimes.table import runtimes
from edgeau_apps.doctor.compatibility import install_line
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check", "check_tools"]


def check(machine: MachineDescription) -> Iterator[Finding]:
    """List the engines that are there; without any, say how one is had."""
    engines = [name for row in runtimes().values() for name in row.distributions]
    found = [name for name in engines if machine.version(name)]
    for name in found:
        yield Finding("good", "engine", f"{name} {machine.packages[name]}")
    if "tflite-runtime" in found and "ai-edge-litert" not in found:
        line = install_line("ai-edge-litert", machine)
        if line:
            yield Finding(
                "warning",
                "engine",
                "tflite-runtime ended at 2.14 and can be wrong without an error on some files; "
                "edgeau refuses it where it answers wrongly",
                line,
            )
    if not found:
        lines = [line for name in ("onnxruntime", "ai-edge-litert") if (line := install_line(name, machine))]
        if lines:
            yield Finding("problem", "engine", "there is none, so no network can run", lines[0])
        else:
            yield Finding(
                "problem",
                "engine",
                f"there is none, and no wheel of any is known for Python {machine.python} on "
                f"{machine.system} {machine.architecture}",
                "use a 64-bit Linux with Python 3.10 to 3.13",
            )


def check_tools(machine: MachineDescription) -> Iterator[Finding]:
    """List compilers that have environments of their own; exporting for their devices needs them, a device does not."""
    for tool in TOOLS.values():
        targets = " and ".join(row.title for row in runtimes().values() if row.tool == tool.name)
        version = machine.tools.get(tool.distribution)
        if version is None:
            yield Finding(
                "note",
                "tool",
                f"{tool.title}, for {targets}: not here; {tool.make_line} makes its environment",
            )
        else:
            yield Finding("good", "tool", f"{tool.title} {version}, for {targets} ({tool.licence})")
