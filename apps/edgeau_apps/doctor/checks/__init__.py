"""All checks: functions of a machine's description that give findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgeau_apps.doctor.checks import computer, engines, installed_packages, jetson, landmarks
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["CHECKS", "examine"]

# In the order in which their findings are shown.
CHECKS: tuple[Callable[[MachineDescription], Iterator[Finding]], ...] = (
    computer.check_platform,
    computer.check_processor,
    computer.check_environment,
    installed_packages.check_packages,
    installed_packages.check_opencv,
    engines.check,
    engines.check_tools,
    landmarks.check,
    installed_packages.check_telemetry,
    jetson.check,
    computer.check_cameras,
    computer.check_display,
)


def examine(machine: MachineDescription) -> Iterator[Finding]:
    """All findings on a machine."""
    for check in CHECKS:
        yield from check(machine)
