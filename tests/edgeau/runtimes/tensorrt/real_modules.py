"""The real Python modules of TensorRT and CUDA, fetched from the package index and made importable without a GPU."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
LIBRARIES = ("nvinfer", "nvonnxparser", "nvinfer_plugin", "nvparsers")


@dataclass(frozen=True)
class RealModule:
    """A release: the packages that bring it, and the number that its native libraries carry."""

    name: str
    packages: tuple[str, ...]
    library: int | None = None


TENSORRT = (
    RealModule("8.6.1", ("tensorrt-bindings==8.6.1",), 8),
    RealModule("10.3.0", ("tensorrt-cu12-bindings==10.3.0",), 10),
    RealModule("10.7.0", ("tensorrt-cu12-bindings==10.7.0",), 10),
    RealModule("10.13.0.35", ("tensorrt-cu12-bindings==10.13.0.35",), 10),
    RealModule("11.4.0.106", ("tensorrt-cu12-bindings==11.4.0.106",), 11),
)
CUDA = (
    RealModule("cuda-python 12.3.0", ("cuda-python==12.3.0",)),
    RealModule("cuda-python 12.9.0", ("cuda-bindings==12.9.0",)),
    RealModule("cuda-python 13.0.1", ("cuda-bindings==13.0.1",)),
)


def environment_of(module: RealModule, folder: Path) -> dict[str, str]:
    """Environment of a process that can import the module.

    Skips the test where the index does not answer, has no wheel for this Python, or there is no compiler.
    """
    site = folder / module.name.replace(" ", "-")
    if not site.is_dir():
        fetch(module, site)
    environment = dict(os.environ)
    environment["PYTHONPATH"] = f"{site}{os.pathsep}{ROOT}"
    environment["OMP_NUM_THREADS"] = "1"
    if module.library is not None:
        environment["LD_LIBRARY_PATH"] = str(stubs(folder, module.library))
    return environment


def fetch(module: RealModule, site: Path) -> None:
    wheels = site.with_suffix(".wheels")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "-d",
        str(wheels),
    ]
    done = subprocess.run(
        [*command, *module.packages], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        pytest.skip(f"{module.name} cannot be fetched: {done.stderr.strip().splitlines()[-1]}")
    partial = site.with_suffix(".partial")
    for wheel in wheels.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(partial)
    partial.rename(site)


def stubs(folder: Path, number: int) -> Path:
    """A folder of libraries under the names that the module asks for."""
    place = folder / f"lib{number}"
    if place.is_dir():
        return place
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make the stub libraries with")
    place.mkdir(parents=True)
    for library in LIBRARIES:
        name = f"lib{library}.so.{number}"
        command = [
            compiler,
            "-shared",
            "-fPIC",
            f"-Wl,-soname,{name}",
            "-o",
            str(place / name),
            str(HERE / "stub.c"),
        ]
        subprocess.run(command, check=True, capture_output=True)
    return place


def run_python(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
