"""Packages that are broken, or whose versions do not go together."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]


def check(machine: MachineDescription) -> Iterator[Finding]:
    """Broken packages, then conflicts over numpy."""
    for package, fault in machine.broken.items():
        yield Finding(
            "problem",
            package,
            f"{machine.packages[package]} is installed but cannot be imported: {fault}",
            f"pip install --force-reinstall --no-deps '{package}=={machine.packages[package]}'",
        )
    numpy = machine.version("numpy")
    if numpy is None:
        yield Finding("problem", "numpy", "is not installed", "pip install edgeau")
        return
    yield from _numpy(machine, numpy)


def _numpy(machine: MachineDescription, numpy: tuple[int, ...]) -> Iterator[Finding]:
    shown = machine.packages["numpy"]
    if numpy >= (2,):
        if machine.version("tflite-runtime"):
            yield Finding(
                "problem",
                "numpy",
                f"{shown} and tflite-runtime, which was built for numpy 1, do not go together",
                "pip install 'numpy<2', or use ai-edge-litert instead of tflite-runtime",
            )
            return
        if machine.is_pi and machine.system_site_packages and "Bookworm".lower() in machine.os.lower():
            yield Finding(
                "warning",
                "numpy",
                f"{shown}; the system's picamera2 was built for numpy 1 and will not import",
                "pip install 'numpy<2'",
            )
            return
    yield Finding("good", "numpy", shown)
