"""Installed packages that report usage to their makers."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription, numbers

__all__ = ["check"]

# Named by version, not by trying: mediapipe opens its connection when a network is opened.
_MEDIAPIPE_REPORTS = (0, 10, 30)
_ONNXRUNTIME_REPORTS = (1, 29)


def check(machine: MachineDescription) -> Iterator[Finding]:
    """What would open a connection, and what edgeau does about it."""
    mediapipe = machine.packages.get("mediapipe")
    if mediapipe and numbers(mediapipe) >= _MEDIAPIPE_REPORTS:
        yield Finding(
            "warning",
            "telemetry",
            f"mediapipe {mediapipe} reports usage to its maker; edgeau never imports it, other programs here may",
            "pip uninstall mediapipe",
        )
    for name in ("onnxruntime", "onnxruntime-gpu"):
        version = machine.packages.get(name)
        if version and numbers(version) >= _ONNXRUNTIME_REPORTS:
            yield Finding(
                "note",
                "telemetry",
                f"{name} {version} reports usage unless ORT_DISABLE_TELEMETRY=1 is set before its import; edgeau sets it",
            )
    version = machine.packages.get("openvino")
    if version:
        yield Finding(
            "note",
            "telemetry",
            f"openvino {version} sends an event to Google Analytics when it is imported; edgeau imports it without that part, "
            "other programs here may not: pip uninstall openvino-telemetry",
        )
