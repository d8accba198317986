"""Description of a machine, as far as edgeau depends on it; plain data, so that a described machine can be examined like a real one."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeau.errors import RecordError

__all__ = ["MachineDescription", "numbers"]


@dataclass(frozen=True)
class MachineDescription:
    """A machine.

    Attributes:
        board: what it calls itself, such as ``"Raspberry Pi 5 Model B Rev 1.0"``.
        system: ``"Linux"``, ``"Darwin"`` or ``"Windows"``.
        architecture: ``"aarch64"``, ``"x86_64"``, ``"armv7l"``, ...
        os: name and version of the distribution.
        glibc: version of the C library, "" where there is none.
        python: version of the running Python.
        cpu: name of the processor.
        cores: processors that may be used.
        cpu_features: flags of ``/proc/cpuinfo``.
        memory_bytes: installed memory.
        virtual_environment: whether Python runs in one.
        system_site_packages: whether it sees the packages of the system's Python.
        l4t: release of NVIDIA's Linux for Tegra, such as ``"36.4"``; "" elsewhere.
        gpu: name of an NVIDIA GPU whose driver is loaded; "" where there is none.
        packages: installed distributions that matter here -> version.
        tools: compilers in environments of their own, by their distribution -> version.
        broken: those that are installed and cannot be imported -> why.
        unfinished: those whose import did not end in time, so that nothing is known of them -> after how long.
        opencv_gstreamer: whether the installed OpenCV was built with GStreamer; None without OpenCV.
        cameras: names of the video devices.
        display: ``DISPLAY`` or ``WAYLAND_DISPLAY``; "" without a screen.
        landmark_models: place of this machine's landmark networks; "" where it has none, or none but mediapipe's.
        landmark_models_fault: why they cannot be read from there; "" where they can.
        landmarks_in_bundle: whether the bundle that is asked about brings its own.
    """

    board: str
    system: str
    architecture: str
    os: str
    glibc: str
    python: str
    cpu: str
    cores: int
    cpu_features: tuple[str, ...]
    memory_bytes: int
    virtual_environment: bool
    system_site_packages: bool
    l4t: str = ""
    gpu: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    unfinished: dict[str, str] = field(default_factory=dict)
    opencv_gstreamer: bool | None = None
    cameras: tuple[str, ...] = ()
    display: str = ""
    landmark_models: str = ""
    landmark_models_fault: str = ""
    landmarks_in_bundle: bool = False

    def __post_init__(self) -> None:
        if len(numbers(self.python)) < 2:
            raise RecordError("python", f"expected a version such as 3.11.2, got {self.python!r}")

    @property
    def python_minor(self) -> tuple[int, int]:
        """Major and minor version of Python."""
        major, minor = numbers(self.python)[:2]
        return major, minor

    @property
    def is_pi(self) -> bool:
        """True on a Raspberry Pi."""
        return self.board.startswith("Raspberry Pi")

    @property
    def is_jetson(self) -> bool:
        """True on an NVIDIA Jetson."""
        return bool(self.l4t) or "Jetson" in self.board

    def version(self, package: str) -> tuple[int, ...] | None:
        """Numbers of an installed package's version; None when it is not installed or is broken."""
        if package not in self.packages or package in self.broken:
            return None
        return numbers(self.packages[package])


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``"0.10.21rc1"`` -> (0, 10, 21)."""
    found = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
        if digits != part:
            break
    return tuple(found)
