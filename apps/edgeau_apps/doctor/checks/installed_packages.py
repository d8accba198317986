"""Installed packages: broken or conflicting ones, several OpenCVs over one another, and those that report usage."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau._system.install_lines import LINES, NUMPY_1, pip_line
from edgeau.runtimes.table import runtimes
from edgeau_apps.doctor.finding import LONGER, Finding
from edgeau_apps.doctor.machine import MachineDescription, numbers

__all__ = ["check_opencv", "check_packages", "check_telemetry"]


def check_packages(machine: MachineDescription) -> Iterator[Finding]:
    """Broken packages, then conflicts over numpy."""
    for package, fault in machine.broken.items():
        yield Finding(
            "problem",
            package,
            f"{machine.packages[package]} is installed but cannot be imported: {fault}",
            f"{pip_line(f'{package}=={machine.packages[package]}')} --force-reinstall --no-deps",
        )
    for package, taken in machine.unfinished.items():
        yield Finding(
            "warning",
            package,
            f"importing {machine.packages[package]} was not finished after {taken}, so it is not known whether it works",
            LONGER,
        )
    numpy = machine.version("numpy")
    if numpy is None:
        yield Finding("problem", "numpy", "is not installed", LINES["numpy"])
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
                f"{NUMPY_1}, or use ai-edge-litert instead of tflite-runtime",
            )
            return
        if machine.is_pi and machine.system_site_packages and "Bookworm".lower() in machine.os.lower():
            yield Finding(
                "warning",
                "numpy",
                f"{shown}; the system's picamera2 was built for numpy 1 and will not import",
                NUMPY_1,
            )
            return
    yield Finding("good", "numpy", shown)


def check_opencv(machine: MachineDescription) -> Iterator[Finding]:
    """List the flavours of OpenCV, and whether they spoil one another."""
    found = {name: version for name, version in machine.packages.items() if name.startswith("opencv")}
    if not found:
        yield Finding("problem", "OpenCV", "is not installed", LINES["opencv"])
        return
    listed = ", ".join(f"{name} {version}" for name, version in found.items())
    headless = [name for name in found if name.endswith("headless")]
    if len(set(found.values())) > 1:
        yield Finding(
            "warning",
            "OpenCV",
            f"{listed}: different versions of the same module; which one runs depends on the order of installation",
            _one_only(found),
        )
    elif headless and len(found) > len(headless):
        yield Finding(
            "warning",
            "OpenCV",
            f"{listed}: the headless one may have replaced the windows of the other",
            _one_only(found),
        )
    else:
        yield Finding("good", "OpenCV", listed)


def _one_only(found: dict[str, str]) -> str:
    # mediapipe asks for contrib, so that is the one to keep where it is there.
    keep = "opencv-contrib-python" if "opencv-contrib-python" in found else "opencv-python"
    version = found.get(keep, max(found.values()))
    return f"pip uninstall -y {' '.join(found)}; {pip_line(f'{keep}=={version}')}"


# Named by version, not by trying: mediapipe opens its connection when a network is opened.
_MEDIAPIPE_REPORTS = (0, 10, 30)
_ONNXRUNTIME_REPORTS = (1, 29)


def check_telemetry(machine: MachineDescription) -> Iterator[Finding]:
    """List packages that would open a connection, and what edgeau does about it."""
    mediapipe = machine.packages.get("mediapipe")
    if mediapipe and numbers(mediapipe) >= _MEDIAPIPE_REPORTS:
        yield Finding(
            "warning",
            "telemetry",
            f"mediapipe {mediapipe} reports usage to its maker; edgeau never imports it, other programs here may",
            "pip uninstall mediapipe",
        )
    for name in runtimes()["onnxruntime"].distributions:
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
