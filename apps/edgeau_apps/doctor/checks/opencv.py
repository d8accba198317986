"""OpenCV: four packages install the same module, and the last one wins."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]


def check(machine: MachineDescription) -> Iterator[Finding]:
    """Which flavours are there, and whether they spoil one another."""
    found = {name: version for name, version in machine.packages.items() if name.startswith("opencv")}
    if not found:
        yield Finding("problem", "OpenCV", "is not installed", "pip install opencv-python")
        return
    listed = ", ".join(f"{name} {version}" for name, version in found.items())
    headless = [name for name in found if name.endswith("headless")]
    if len(set(found.values())) > 1:
        yield Finding(
            "warning",
            "OpenCV",
            f"{listed}: different versions of the same module; which one runs depends on the order of installation",
            _one_only(found),
        )
    elif headless and len(found) > len(headless):
        yield Finding(
            "warning",
            "OpenCV",
            f"{listed}: the headless one may have replaced the windows of the other",
            _one_only(found),
        )
    else:
        yield Finding("good", "OpenCV", listed)


def _one_only(found: dict[str, str]) -> str:
    # mediapipe asks for contrib, so that is the one to keep where it is there.
    keep = "opencv-contrib-python" if "opencv-contrib-python" in found else "opencv-python"
    version = found.get(keep, max(found.values()))
    return f"pip uninstall -y {' '.join(found)}; pip install '{keep}=={version}'"
