"""One file a matter; each has ``check(machine)``, which gives findings. The order is that in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.checks import (
    cameras,
    display,
    engines,
    environment,
    jetson,
    landmarks,
    opencv,
    packages,
    platform,
    processor,
    telemetry,
)
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["CHECKS", "examine"]

CHECKS = (
    platform,
    processor,
    environment,
    packages,
    opencv,
    engines,
    landmarks,
    telemetry,
    jetson,
    cameras,
    display,
)


def examine(machine: MachineDescription) -> Iterator[Finding]:
    """All findings on a machine."""
    for matter in CHECKS:
        yield from matter.check(machine)
