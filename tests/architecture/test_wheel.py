"""The wheel holds what is meant, and nothing else."""

from __future__ import annotations

import hashlib
import json
import runpy
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOMS = {
    "edgeau": "edgeau",
    "edgeau_export": "export/edgeau_export",
    "edgeau_calibration": "calibration/edgeau_calibration",
    "edgeau_training": "training/edgeau_training",
    "edgeau_apps": "apps/edgeau_apps",
}
CARRIED = {".json", ".py", ".toml", ".typed"}
MAX_BYTES = 80_000_000


def meant(root: Path) -> set[str]:
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
    files = set()
    for name in tracked.splitlines():
        for package, folder in ROOMS.items():
            inside = name.removeprefix(folder + "/")
            if inside == name:
                continue
            if Path(name).suffix in CARRIED or inside.startswith(
                ("assets/", "default/", "live/page/", "profiling/zoo")
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


def test_the_wheel_carries_the_litert_files_whole(wheel: Path, root: Path) -> None:
    for parts in (root / "weights").glob("*.parts"):
        said = header(parts)
        content = zipfile.ZipFile(wheel).read(said["target"])
        assert hashlib.sha256(content).hexdigest() == said["sha256"]


def test_parts_of_another_onnx_file_are_refused(root: Path, tmp_path: Path) -> None:
    (parts,) = (root / "weights").glob("default.*.parts")
    said = header(parts)
    source = tmp_path / said["source"]
    source.parent.mkdir(parents=True)
    content = bytearray((root / said["source"]).read_bytes())
    content[said["copies"][0][1]] ^= 1
    source.write_bytes(content)
    assembled = runpy.run_path(str(root / "weights" / "assemble.py"))["assembled"]
    with pytest.raises(ValueError, match="cannot be assembled .*default_litert"):
        assembled(parts.read_bytes(), tmp_path)


def test_the_wheel_carries_the_licence_and_the_notices_of_others(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for notice in ("LICENSE", "THIRD_PARTY.md"):
        assert any(name.endswith(f"licenses/{notice}") for name in names), names


def test_the_wheel_stays_light(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_BYTES
