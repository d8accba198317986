"""Virtual environments that hide what only the system's Python has."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]

_AGAIN = "python3 -m venv --system-site-packages .venv, then install edgeau in it again"


def check(machine: MachineDescription) -> Iterator[Finding]:
    """Whether packages that come with the board's system can be seen."""
    if not machine.virtual_environment:
        yield Finding(
            "note",
            "environment",
            "no virtual environment: newer systems refuse pip there; use python3 -m venv",
        )
        return
    if machine.system_site_packages:
        yield Finding("good", "environment", "a virtual environment that sees the system's packages")
        return
    needed = _hidden(machine)
    if needed:
        yield Finding(
            "warning",
            "environment",
            f"this virtual environment does not see the system's packages, and {needed} comes only with the system",
            _AGAIN,
        )
    else:
        yield Finding("good", "environment", "a virtual environment of its own")


def _hidden(machine: MachineDescription) -> str:
    if machine.is_pi and "picamera2" not in machine.packages:
        return "picamera2, for the ribbon-cable camera,"
    if machine.is_jetson and "tensorrt" not in machine.packages:
        return "TensorRT"
    return ""
