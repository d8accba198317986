"""The wheel holds what is meant, and nothing else."""

from __future__ import annotations

import hashlib
import json
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edgeau.bundle import PACKAGED

ROOMS = {
    "edgeau": "edgeau",
    "edgeau_export": "export/edgeau_export",
    "edgeau_calibration": "calibration/edgeau_calibration",
    "edgeau_training": "training/edgeau_training",
    "edgeau_apps": "apps/edgeau_apps",
}
CARRIED = {".json", ".py", ".toml", ".typed"}
MAX_BYTES = 80_000_000
MAX_CHECKOUT_BYTES = 60_000_000


def meant(root: Path) -> set[str]:
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
    files = set()
    for name in tracked.splitlines():
        for package, folder in ROOMS.items():
            inside = name.removeprefix(folder + "/")
            if inside == name:
                continue
            if Path(name).suffix in CARRIED or inside.startswith(
                (
                    "assets/",
                    "default/",
                    "light/",
                    "live/page/",
                    "profiling/zoo",
                    "web/page/",
                    "web/litert.tar.xz",
                    "web/clip.webm",
                )
            ):
                files.add(f"{package}/{inside}")
    return files


def test_the_wheel_holds_every_module_and_data_file_of_the_rooms(wheel: Path, root: Path) -> None:
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert names == meant(root) | {header(parts)["target"] for parts in (root / "weights").glob("*.parts")}


def header(parts: Path) -> dict[str, Any]:
    with parts.open("rb") as file:
        found: dict[str, Any] = json.loads(file.readline())
    return found


def test_the_wheel_carries_the_assembled_files_whole(wheel: Path, root: Path) -> None:
    for parts in (root / "weights").glob("*.parts"):
        said = header(parts)
        content = zipfile.ZipFile(wheel).read(said["target"])
        assert hashlib.sha256(content).hexdigest() == said["sha256"]


def test_the_wheel_carries_the_files_that_its_manifests_name(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    for name in PACKAGED:
        files = json.loads(archive.read(f"edgeau/{name}/manifest.json"))["files"]
        for record in files:
            content = archive.read(f"edgeau/{name}/{record['file']}")
            assert hashlib.sha256(content).hexdigest() == record["sha256"], record["file"]


@pytest.mark.parametrize("target", ["fp32.onnx", "int8.onnx", "int8.tflite"])
@pytest.mark.parametrize("bundle", PACKAGED)
def test_parts_of_another_source_are_refused(bundle: str, target: str, root: Path, tmp_path: Path) -> None:
    parts = root / "weights" / f"{bundle}.{target}.parts"
    said = header(parts)
    source = tmp_path / said["source"]
    source.parent.mkdir(parents=True)
    content = bytearray((root / said["source"]).read_bytes())
    # The high byte of a value of the first piece that follows from it: exponent or integer.
    content[said["pieces"][0][2] + {"fp32.onnx": 1, "int8.onnx": 3, "int8.tflite": 0}[target]] ^= 1
    source.write_bytes(content)
    assembled = runpy.run_path(str(root / "weights" / "assemble.py"))["assembled"]
    with pytest.raises(ValueError, match=r"cannot be assembled .*packaging\.assembly"):
        assembled(parts.read_bytes(), tmp_path)


def test_every_set_of_weights_is_tracked_once_and_the_checkout_is_small(root: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout
    files = [root / name for name in listed.decode().split("\0") if name]
    assert sum(file.lstat().st_size for file in files if file.exists()) < MAX_CHECKOUT_BYTES
    assembled = {header(parts)["target"] for parts in (root / "weights").glob("*.parts")}
    assert not assembled & {file.relative_to(root).as_posix() for file in files}


def test_a_source_distribution_gives_the_same_files(root: Path, tmp_path: Path) -> None:
    shutil.copytree(
        root, tmp_path / "copy", ignore=shutil.ignore_patterns(".git", ".venv", "model.*", "build", "dist")
    )
    build = [sys.executable, "-c", "from setuptools import build_meta; print(build_meta.build_sdist('dist'))"]
    done = subprocess.run(build, cwd=tmp_path / "copy", capture_output=True, text=True, check=True)
    with tarfile.open(tmp_path / "copy" / "dist" / done.stdout.splitlines()[-1]) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
        assert not [name for name in names if name.startswith("edgeau/") and "/model." in name]
        archive.extractall(tmp_path / "out", filter="data")
    (unpacked,) = (tmp_path / "out").iterdir()
    made = runpy.run_path(str(unpacked / "weights" / "assemble.py"))["assemble"](unpacked)
    for file in made:
        assert file.read_bytes() == (root / file.relative_to(unpacked)).read_bytes()


def test_the_wheel_carries_the_licence_and_the_notices_of_others(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for notice in ("LICENSE", "THIRD_PARTY.md"):
        assert any(name.endswith(f"licenses/{notice}") for name in names), names


def test_the_wheel_stays_light(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_BYTES


def test_the_wheel_passes_the_checks_of_a_release(wheel: Path, root: Path) -> None:
    pytest.importorskip("twine")
    for command in (
        ["-m", "twine", "check", "--strict", str(wheel)],
        ["-m", "check_wheel_contents", str(wheel)],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
