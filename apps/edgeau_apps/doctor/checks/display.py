"""Whether a window can be opened."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]


def check(machine: MachineDescription) -> Iterator[Finding]:
    """A screen, or the browser view."""
    windows = machine.display or machine.system in ("Darwin", "Windows")
    if not windows:
        yield Finding("note", "display", "none; edgeau-live --serve shows the picture in a browser")
    elif any(name.endswith("headless") for name in machine.packages if name.startswith("opencv")):
        yield Finding("note", "display", "there is one, but OpenCV is headless; edgeau-live --serve works")
    else:
        yield Finding("good", "display", machine.display or machine.system)
    if not windows and machine.version("aiohttp") is None:
        yield Finding(
            "warning", "browser view", "needs aiohttp, which is not installed", "pip install 'edgeau[web]'"
        )
