"""Cameras: USB ones by device, ribbon-cable ones through the board's own way."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]


def check(machine: MachineDescription) -> Iterator[Finding]:
    """What is there, and what a ribbon-cable camera needs."""
    for camera in machine.cameras:
        yield Finding("good", "camera", camera)
    if not machine.cameras:
        yield Finding("note", "camera", "none is connected; --source clip shows the packaged clip")
    if machine.is_pi and machine.version("picamera2") is None:
        yield Finding(
            "note",
            "ribbon-cable camera",
            "needs picamera2: sudo apt install python3-picamera2, and an environment with --system-site-packages",
        )
    if machine.is_jetson and machine.opencv_gstreamer is False:
        yield Finding(
            "note",
            "ribbon-cable camera",
            "needs an OpenCV with GStreamer; pip's has none: use the system's (sudo apt install python3-opencv)",
        )
