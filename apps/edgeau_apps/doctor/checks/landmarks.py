"""Face landmarks: mediapipe, or its models in LiteRT."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau.faces.landmarks.mediapipe_models import ENVIRONMENT
from edgeau_apps.doctor.compatibility import install_line
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import Machine

__all__ = ["check"]

_TASKS_ONLY = (0, 10, 30)  # from here on mediapipe has no models inside


def check(machine: Machine) -> Iterator[Finding]:
    """Whether landmarks can be had."""
    version = machine.version("mediapipe")
    if machine.landmark_models:
        yield _named_models(machine)
    elif version is None:
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
            yield Finding("problem", "landmarks", "mediapipe is not installed", f"{line}{_without(machine)}")
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


def _named_models(machine: Machine) -> Finding:
    """Models that :data:`ENVIRONMENT` names: readable, and a LiteRT to run them."""
    if machine.landmark_models_fault:
        return Finding(
            "problem",
            "landmarks",
            machine.landmark_models_fault,
            f"fix or unset {ENVIRONMENT}: docs/raspberry-pi.md",
        )
    if _litert(machine) is None:
        line = install_line("ai-edge-litert", machine)
        fix = (
            line
            or f"unset {ENVIRONMENT} and use mediapipe: no LiteRT wheel exists for this Python and processor"
        )
        return Finding("problem", "landmarks", f"{ENVIRONMENT} is set, and LiteRT is not installed", fix)
    return Finding("good", "landmarks", f"{machine.landmark_models}, in LiteRT")


def _without(machine: Machine) -> str:
    """The other way, where LiteRT is there."""
    return (
        "" if _litert(machine) is None else f", or its models without it: {ENVIRONMENT}, docs/raspberry-pi.md"
    )


def _litert(machine: Machine) -> tuple[int, ...] | None:
    return machine.version("ai-edge-litert") or machine.version("tflite-runtime")


def _older(machine: Machine) -> str | None:
    """The install line of a mediapipe with models inside, where there is one."""
    line = install_line("mediapipe", machine)
    return line if line and "==0." in line else None
