"""The computer itself: board, system and Python, processor, virtual environment, cameras and screen."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau._system.install_lines import extra_line
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check_cameras", "check_display", "check_environment", "check_platform", "check_processor"]

_OLDEST, _NEWEST_TESTED = (3, 10), (3, 13)


def check_platform(machine: MachineDescription) -> Iterator[Finding]:
    """Check that edgeau can be installed here at all."""
    yield Finding("good", "board", f"{machine.board}, {machine.os}, {machine.architecture}")
    if machine.architecture in ("armv7l", "armv6l", "i686"):
        yield Finding(
            "problem",
            "32-bit system",
            f"{machine.architecture} has no wheels of ONNX Runtime, LiteRT or mediapipe",
            "install the 64-bit image of the same system",
        )
    yield _python(machine)
    if machine.memory_bytes and machine.memory_bytes < 900e6:
        yield Finding(
            "warning",
            "memory",
            f"{machine.memory_bytes / 1e6:.0f} MB; landmarks and the network take about 400 MB",
            "close other programs, or add swap: sudo dphys-swapfile",
        )
    elif machine.memory_bytes:
        yield Finding("good", "memory", f"{machine.memory_bytes / 1e9:.1f} GB")


def _python(machine: MachineDescription) -> Finding:
    version = machine.python_minor
    if version < _OLDEST:
        fix = "use Python 3.10 to 3.13"
        if machine.is_jetson:
            fix += "; on JetPack 5: sudo add-apt-repository ppa:deadsnakes/ppa, or upgrade to JetPack 6"
        return Finding("problem", "Python", f"{machine.python} is older than edgeau's oldest, 3.10", fix)
    if version > _NEWEST_TESTED:
        return Finding(
            "warning",
            "Python",
            f"{machine.python} is newer than the tested ones",
            "make the environment with Python 3.10 to 3.13 if anything fails",
        )
    return Finding("good", "Python", machine.python)


# Instructions that multiply four pairs of bytes at once; without them INT8 is often slower than float.
_DOT = {
    "asimddp": "Armv8.2 dot product",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "i8mm": "int8 matrix product",
}


def check_processor(machine: MachineDescription) -> Iterator[Finding]:
    """Check whether INT8 can be faster than float here."""
    named = f"{machine.cpu or machine.architecture}, {machine.cores} core{'s' * (machine.cores != 1)}"
    found = [name for flag, name in _DOT.items() if flag in machine.cpu_features]
    if found:
        yield Finding("good", "processor", f"{named}; {found[0]}: INT8 can be faster than float")
    elif machine.cpu_features:
        yield Finding(
            "note",
            "processor",
            f"{named}; no dot-product instruction: INT8 may be slower than float, which is measured at first load",
        )
    else:
        yield Finding("note", "processor", f"{named}; its instructions are not known")


_AGAIN = "python3 -m venv --system-site-packages .venv, then install edgeau in it again"


def check_environment(machine: MachineDescription) -> Iterator[Finding]:
    """Check that packages that come with the board's system can be seen."""
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


def check_cameras(machine: MachineDescription) -> Iterator[Finding]:
    """List the cameras, and what a ribbon-cable camera needs."""
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


def check_display(machine: MachineDescription) -> Iterator[Finding]:
    """A screen, or the browser view."""
    windows = machine.display or machine.system in ("Darwin", "Windows")
    if not windows:
        yield Finding("note", "display", "none; edgeau-live --serve shows the picture in a browser")
    elif any(name.endswith("headless") for name in machine.packages if name.startswith("opencv")):
        yield Finding("note", "display", "there is one, but OpenCV is headless; edgeau-live --serve works")
    else:
        yield Finding("good", "display", machine.display or machine.system)
    if not windows and machine.version("aiohttp") is None:
        yield Finding("warning", "browser view", "needs aiohttp, which is not installed", extra_line("web"))
