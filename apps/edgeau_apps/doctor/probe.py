"""Looks at this machine. Nothing is changed, no camera is opened, no network is used."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from edgeau._system.child import SAME_PATH
from edgeau._system.processor import processor_name, usable_processors
from edgeau._system.tool_environment import TOOLS, tool_versions
from edgeau.errors import EdgeauError
from edgeau.faces.landmarks.mediapipe_models import models_place, read_models
from edgeau.runtimes.table import runtimes
from edgeau_apps.doctor.machine import MachineDescription, numbers

__all__ = ["this_machine"]

# Distribution -> the module whose import shows that it works, beside the engines of edgeau.runtimes.table. Where the package
# of an engine imports although its library does not load, the module is named here.
_PACKAGES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "aiohttp": "aiohttp",
    "cuda-python": "cuda",
    "edgeau": "edgeau",
    "mediapipe": "mediapipe",
    "numpy": "numpy",
    "opencv-contrib-python": "cv2",
    "opencv-contrib-python-headless": "cv2",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "picamera2": "picamera2",
    "tflite-runtime": "tflite_runtime.interpreter",
    "torch": "torch",
}
_AT_ONCE = 2
_UNFINISHED = "unfinished"
# As edgeau.runtimes.session has it, which needs numpy.
_SILENTLY = f"{SAME_PATH}sys.modules['openvino_telemetry'] = None"
# Importing these takes seconds and tells nothing that their version does not.
_NOT_TRIED = ("edgeau", "torch")


def this_machine(*, imports: bool = True, time_limit: float = 60.0) -> MachineDescription:
    """This machine as it is now.

    Args:
        imports: whether each package is imported, in a process of its own, to see that it works.
        time_limit: time limit of each import, seconds.
    """
    modules = _modules()
    packages = {name: version for name in modules if (version := _version(name))}
    tried = [name for name, version in packages.items() if imports and _may_be_imported(name, version)]
    # Several distributions bring the same module (OpenCV's).
    by_module = _import_faults(sorted({modules[name] for name in tried}), time_limit)
    faults = {name: by_module[modules[name]] for name in tried}
    cpuinfo = _text(Path("/proc/cpuinfo"))
    return MachineDescription(
        board=_board(),
        system=platform.system(),
        architecture=platform.machine(),
        os=_os(),
        glibc=platform.libc_ver()[1],
        python=platform.python_version(),
        cpu=processor_name(),
        cores=usable_processors(),
        cpu_features=tuple(_field(cpuinfo, ("flags", "Features")).split()),
        memory_bytes=_memory(),
        virtual_environment=sys.prefix != sys.base_prefix,
        system_site_packages=_sees_system_packages(),
        l4t=_l4t(_text(Path("/etc/nv_tegra_release"))),
        gpu=_gpu(),
        packages=packages,
        tools={name: version for tool in TOOLS for name, version in tool_versions(tool).items()},
        broken={name: fault for name, fault in faults.items() if fault and fault is not _UNFINISHED},
        unfinished={
            name: f"{time_limit:g} seconds" for name, fault in faults.items() if fault is _UNFINISHED
        },
        opencv_gstreamer=_gstreamer(packages),
        cameras=tuple(_cameras()),
        display=os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or "",
        landmark_models=str(models_place() or ""),
        landmark_models_fault=_landmark_models_fault(),
    )


def _modules() -> dict[str, str]:
    """Each distribution that matters here -> the module whose import shows that it works."""
    engines = {
        name: row.modules[min(number, len(row.modules) - 1)]
        for row in runtimes().values()
        for number, name in enumerate(row.distributions)
    }
    return dict(sorted({**engines, **_PACKAGES}.items()))


def _may_be_imported(name: str, version: str) -> bool:
    """Not what takes seconds and tells nothing, and not a mediapipe that reports usage to its maker."""
    return name not in _NOT_TRIED and (name != "mediapipe" or numbers(version) < (0, 10, 30))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _import_faults(modules: Sequence[str], time_limit: float) -> dict[str, str]:
    """Why each module cannot be imported, "" when it can: all in one process, and each in its own only where that fails.

    Most of them import numpy, which takes longer than some of them.
    """
    if not modules or not _import_fault(", ".join(modules), time_limit):
        return dict.fromkeys(modules, "")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        faults = pool.map(lambda module: _import_fault(module, time_limit), modules)
        return dict(zip(modules, faults, strict=True))


def _import_fault(module: str, time_limit: float) -> str:
    """Why a module cannot be imported; "" when it can. In another process, since a bad one can end this one."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"{_SILENTLY}; import {module}", repr(sys.path)],
            env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
            capture_output=True,
            text=True,
            errors="replace",  # native code need not write in this machine's encoding
            timeout=time_limit,
            check=False,
        )
    except OSError as error:
        return f"could not be tried: {sys.executable or 'this Python'} does not start ({error.strerror})"
    except subprocess.TimeoutExpired:
        return _UNFINISHED
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"importing {module} ended with code {done.returncode}"


def _landmark_models_fault() -> str:
    """Why this machine's networks cannot be read; "" when they can or there are none."""
    if models_place() is None:
        return ""
    try:
        read_models()
    except EdgeauError as error:
        return str(error)
    return ""


def _board() -> str:
    for path in ("/proc/device-tree/model", "/sys/devices/virtual/dmi/id/product_name"):
        name = _text(Path(path)).strip("\0 \n")
        if name:
            return name
    return f"{platform.machine()} computer"


def _os() -> str:
    for line in _text(Path("/etc/os-release")).splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return f"{platform.system()} {platform.release()}"


def _memory() -> int:
    kilobytes = _field(_text(Path("/proc/meminfo")), ("MemTotal",)).split()
    return 1024 * int(kilobytes[0]) if kilobytes else 0


def _sees_system_packages() -> bool:
    if sys.prefix == sys.base_prefix:
        return True
    settings = _text(Path(sys.prefix) / "pyvenv.cfg").lower()
    return _field(settings.replace("=", ":"), ("include-system-site-packages",)) == "true"


def _l4t(release: str) -> str:
    """``"# R36 (release), REVISION: 4.3, ..."`` -> ``"36.4"``."""
    words = release.replace(",", " ").split()
    if "REVISION:" not in words:
        return ""
    major = words[1].lstrip("R")
    return f"{major}.{words[words.index('REVISION:') + 1].partition('.')[0]}"


def _gpu() -> str:
    found = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return _field(_text(found[0]), ("Model",)) if found else ""


def _gstreamer(packages: Iterable[str]) -> bool | None:
    if not any(name.startswith("opencv") for name in packages):
        return None
    try:
        import cv2
    except ImportError:  # told among the broken packages
        return None
    lines = [line for line in cv2.getBuildInformation().splitlines() if "GStreamer:" in line]
    return bool(lines) and "YES" in lines[0]


def _cameras() -> Iterable[str]:
    for device in sorted(Path("/sys/class/video4linux").glob("video*")):
        yield f"/dev/{device.name}: {_text(device / 'name').strip()}"


def _field(text: str, keys: tuple[str, ...]) -> str:
    """The value of the first line ``key : value`` with one of the keys."""
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip() in keys:
            return value.strip()
    return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux, or not this kind of board
        return ""
