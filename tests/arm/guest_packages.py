"""edgeau's wheel and the real aarch64 wheels of its device extras, in one folder for the guest's Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

from tests.arm.systems import System

_EXTRAS = ("litert", "onnxruntime", "web")
_INTO = ("--no-compile", "--upgrade", "--target")


def install(wheel: Path, target: Path, system: System) -> dict[str, str]:
    """Install a wheel of ours and what its device extras require; mediapipe is not among it.

    OpenCV comes as its headless build, which needs no graphics libraries of the system.

    Args:
        wheel: of edgeau.
        target: folder, becomes the guest's ``PYTHONPATH``.
        system: of the guest.

    Returns:
        Version of every distribution in the folder.
    """
    shutil.rmtree(target, ignore_errors=True)
    wanted = requirements(wheel)
    needed = [_as_here(line) for line in wanted] if system.like_here else wanted
    needed = [re.sub("^opencv-python(?=\\W)", "opencv-python-headless", line) for line in needed]
    _run(*_pip("install", system), *_INTO, str(target), *needed)
    _run(*_pip("install", system), *_INTO, str(target), "--no-deps", str(wheel))
    found = (re.match(r"(.+?)-([^-]+)\.dist-info", path.name) for path in target.glob("*.dist-info"))
    versions = {match[1]: match[2] for match in found if match}
    if "mediapipe" in versions:
        raise SystemExit("the device extras pull mediapipe, which this proof does without")
    return versions


def install_alone(wheel: Path, target: Path) -> None:
    """Install a wheel of ours without what it requires.

    Args:
        wheel: of edgeau.
        target: folder; before the one of :func:`install` in the guest's ``PYTHONPATH``, it takes the place of the edgeau in there.
    """
    _run(
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "install",
        *_INTO,
        str(target),
        "--no-deps",
        str(wheel),
    )


def _as_here(line: str) -> str:
    """A requirement in the version that this environment has; as it stands where it has none."""
    name = re.split(r"[^\w-]", line)[0]
    try:
        return f"{name}=={metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return line


def make_environment(wheel: Path, place: Path) -> Path:
    """An environment of this machine with the newest packages, as the guest has them; returns its Python."""
    python = place / "bin" / "python"
    if not python.exists():
        _run("-m", "venv", str(place))
    extras = ",".join(_EXTRAS)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    done = subprocess.run([*command, f"{wheel}[{extras}]"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"pip install {wheel.name}[{extras}] failed:\n{done.stdout}{done.stderr}")
    return python


def requirements(wheel: Path) -> list[str]:
    """What a wheel needs for the device: its dependencies and those of the device extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        lines = message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])
    wanted = [line.partition(";") for line in lines]
    needed = [
        name.strip()
        for name, _, marker in wanted
        if not marker.strip() or any(f'extra == "{e}"' in marker for e in _EXTRAS)
    ]
    # One extra may ask for another one of edgeau; every one that the device has is in the list.
    return [name for name in needed if not name.startswith("edgeau[")]


def _pip(command: str, system: System) -> list[str]:
    names = [f"manylinux_2_{minor}_aarch64" for minor in range(system.glibc_minor, 16, -1)]
    platforms = [word for name in (*names, "manylinux2014_aarch64") for word in ("--platform", name)]
    python = ["--python-version", system.python, "--implementation", "cp", "--only-binary=:all:"]
    return ["-m", "pip", "--quiet", "--disable-pip-version-check", command, *platforms, *python]


def _run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
