"""edgeau's wheel and the real aarch64 wheels of its device extras, in one folder for Python 3.11."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

_EXTRAS = ("litert", "onnxruntime", "web")
# Debian 12 has glibc 2.36; pip on the board takes a wheel for any of these.
_PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)] + ["manylinux2014_aarch64"]
_MODELS = "mediapipe==0.10.18"  # the last of the old line with an aarch64 wheel; only its two models are used


def build_wheel(source: Path, place: Path) -> Path:
    """Build edgeau's wheel from a copy of the checkout, so that nothing is left in it."""
    copy = place / "source"
    shutil.rmtree(copy, ignore_errors=True)
    names = ("edgeau", "training", "calibration", "export", "apps")
    for name in names:
        shutil.copytree(
            source / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md"):
        shutil.copy(source / name, copy / name)
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(place / "dist"), str(copy))
    shutil.rmtree(copy)
    return max((place / "dist").glob("edgeau-*.whl"), key=lambda file: file.stat().st_mtime)


def install(wheel: Path, target: Path) -> dict[str, str]:
    """Install a wheel of ours and what its device extras require, in the versions that this environment has.

    Another version of OpenCV alone decodes a film a little differently. OpenCV comes as its headless build, which needs
    no graphics libraries of the system.

    Args:
        wheel: of edgeau.
        target: folder, becomes the guest's ``PYTHONPATH``.

    Returns:
        Version of every distribution in the folder.
    """
    shutil.rmtree(target, ignore_errors=True)
    names = [re.split(r"[^\w-]", name)[0] for name in requirements(wheel)]
    needed = [f"{name}=={metadata.version(name)}" for name in names]
    _pip_install(target, *(name.replace("opencv-python=", "opencv-python-headless=") for name in needed))
    _pip_install(target, "--no-deps", str(wheel))
    found = (re.match(r"(.+?)-([^-]+)\.dist-info", path.name) for path in target.glob("*.dist-info"))
    return {match[1]: match[2] for match in found if match}


def requirements(wheel: Path) -> list[str]:
    """What a wheel needs for the device: its dependencies and those of the device extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        lines = message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])
    wanted = [line.partition(";") for line in lines]
    return [
        name.strip()
        for name, _, marker in wanted
        if not marker.strip() or any(f'extra == "{e}"' in marker for e in _EXTRAS)
    ]


def download_models(place: Path) -> Path:
    """The mediapipe wheel that carries the face landmark models; it is not installed."""
    place.mkdir(parents=True, exist_ok=True)
    found = next(place.glob("mediapipe-*.whl"), None)
    if found is None:
        _run(*_pip("download"), "--no-deps", "--dest", str(place), _MODELS)
        found = next(place.glob("mediapipe-*.whl"))
    return found


def _pip_install(target: Path, *what: str) -> None:
    _run(*_pip("install"), "--no-compile", "--upgrade", "--target", str(target), *what)


def _pip(command: str) -> list[str]:
    platforms = [word for name in _PLATFORMS for word in ("--platform", name)]
    python = ["--python-version", "3.11", "--implementation", "cp", "--only-binary=:all:"]
    return ["-m", "pip", "--quiet", "--disable-pip-version-check", command, *platforms, *python]


def _run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
