"""Board, system and Python: whether any wheel exists for them."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]

_OLDEST, _NEWEST_TESTED = (3, 10), (3, 13)


def check(machine: MachineDescription) -> Iterator[Finding]:
    """Whether edgeau can be installed here at all."""
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
