"""Face landmarks: mediapipe, or its models in LiteRT."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.known import install_line
from edgeau_apps.doctor.machine import Machine

__all__ = ["check"]

_TASKS_ONLY = (0, 10, 30)  # from here on mediapipe has no models inside


def check(machine: Machine) -> Iterator[Finding]:
    """Whether landmarks can be had."""
    version = machine.version("mediapipe")
    if version is None:
        line = install_line("mediapipe", machine)
        if line is None:
            yield Finding(
                "problem",
                "landmarks",
                f"mediapipe is not installed and has no wheel for Python {machine.python} on "
                f"{machine.architecture}",
                "use Python 3.10 to 3.12 on a 64-bit system",
            )
        else:
            yield Finding("problem", "landmarks", "mediapipe is not installed", line)
    elif version >= _TASKS_ONLY:
        yield Finding(
            "warning",
            "landmarks",
            f"mediapipe {machine.packages['mediapipe']} has no landmark models inside",
            "give a face_landmarker.task with --landmarker-model"
            + (f", or: {line}" if (line := _older(machine)) else ""),
        )
    else:
        yield Finding("good", "landmarks", f"mediapipe {machine.packages['mediapipe']}, with its models")


def _older(machine: Machine) -> str | None:
    """The install line of a mediapipe with models inside, where there is one."""
    line = install_line("mediapipe", machine)
    return line if line and "==0." in line else None
