"""No internet socket and no name look-up, whatever runs: every engine, every landmarker and every program is watched.

Each runs in a network namespace without interfaces, where nothing could get out, and under strace, which shows whether it tried.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from edgeau.bundle import PACKAGED, bundle_folder, load_bundle, packaged_bundle_path
from edgeau.faces.landmarks import mediapipe_models as models

_CALLS = "trace=socket,connect,sendto,sendmsg,sendmmsg"
_INTERNET = re.compile(r"AF_INET6?\b")
_RESOLVER = re.compile(r"/run/systemd/resolve|/var/run/nscd|nscd/socket")

_ENGINE = """
import numpy as np
from edgeau import AUDetector
with AUDetector.load({bundle!r}, artifact={engine!r}, threads=1) as detector:
    assert detector.artifact.runtime == {engine!r}
    detector.detect([np.full(({size}, {size}, 3), 128, np.uint8)] * 2)
"""
_LANDMARKER = """
from pathlib import Path
from edgeau import open_source
from edgeau.faces.landmarks import open_landmarker
model = {model!r}
with open_landmarker(kind={kind!r}, model=Path(model) if model else None) as landmarker, open_source("clip") as source:
    found = [len(landmarker.detect(frame.image)) for frame, _ in zip(source, range(5))]
assert found == [1] * 5, found
"""
_LIVE = """
from edgeau import Pipeline, open_source
with Pipeline.load({bundle!r}, max_faces=1) as pipeline, open_source("clip", real_time=True, fps=60) as source:
    for result in pipeline.stream(source):
        if result.index > 30:
            break
"""
_ANALYZE = """
from edgeau_apps.analyze.command import main
raise SystemExit(main(["clip", "--bundle", {bundle!r}, "--out", "out"]))
"""
_BENCH = """
from edgeau_apps.bench.command import main
raise SystemExit(main([{bundle!r}, "--seconds", "0.1", "--threads", "1"]) // 2)
"""
_DOCTOR = """
from edgeau_apps.doctor.command import main
main([])
"""
_CONTROL = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError:
    pass
"""


def _watched(program: str, folder: Path) -> list[str]:
    """The calls by which a program reached for the internet.

    The namespace has no interface; of what the kernel sees, sockets of the families of the internet are kept, and talk with a
    name service on this machine.
    """
    for tool in ("strace", "unshare"):
        if shutil.which(tool) is None:
            pytest.skip(
                f"{tool} is not installed: sudo apt install {'strace' if tool == 'strace' else 'util-linux'}"
            )
    log = folder / "calls"
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment["XDG_CACHE_HOME"] = str(
        folder / "cache"
    )  # a first start: golden answers run, engines are timed
    command = ["unshare", "--net", "--map-root-user", "strace", "-f", "-e", _CALLS, "-o", str(log)]
    done = subprocess.run(
        [*command, sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    if "unshare failed" in done.stderr or ("ptrace" in done.stderr and "not permitted" in done.stderr):
        pytest.skip(f"this machine lets no process be watched: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, done.stderr[-2000:]
    calls = log.read_text(errors="replace").splitlines()
    return [call for call in calls if _INTERNET.search(call) or _RESOLVER.search(call)]


def test_the_watching_sees_a_connection(tmp_path: Path) -> None:
    assert _watched(_CONTROL, tmp_path)


@pytest.mark.parametrize("name", PACKAGED)
@pytest.mark.parametrize("engine", ["onnxruntime", "litert", "openvino"])
def test_an_engine_is_silent(engine: str, name: str, tmp_path: Path) -> None:
    """As a program opens it: the artifacts compared, the golden answers run in a child process, then two crops."""
    module = {"litert": "ai_edge_litert"}.get(engine, engine)
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    size, _ = load_bundle(bundle_folder(name)).manifest.input.size
    assert _watched(_ENGINE.format(bundle=name, engine=engine, size=size), tmp_path) == []


@pytest.mark.parametrize("package", ["onnxruntime", "openvino"])
def test_a_package_is_silenced_before_its_import(package: str, tmp_path: Path) -> None:
    """``import openvino`` by itself asks the name server for Google Analytics (2026.4)."""
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    program = f"from edgeau.runtimes.session import silence; silence(); import {package}"
    assert _watched(program, tmp_path) == []


def _installed() -> str:
    place = models.installed_models()
    if place is None:
        pytest.skip("needs a mediapipe up to 0.10.21 with its models")
    return str(place)


def test_mediapipe_itself_is_silent(tmp_path: Path) -> None:
    _installed()
    assert _watched(_LANDMARKER.format(kind="solutions", model=""), tmp_path) == []


def test_its_networks_in_litert_are_silent(tmp_path: Path) -> None:
    assert _watched(_LANDMARKER.format(kind="litert", model=_installed()), tmp_path) == []


def test_a_face_landmarker_task_is_silent(tmp_path: Path, shared_data: Path) -> None:
    task = str(shared_data / "face_landmarker.task")
    assert _watched(_LANDMARKER.format(kind="litert", model=task), tmp_path) == []


@pytest.mark.parametrize(
    "program", [_ANALYZE, _LIVE, _BENCH, _DOCTOR], ids=["analyze", "live", "bench", "doctor"]
)
@pytest.mark.timeout(600)
def test_a_program_is_silent(program: str, tmp_path: Path) -> None:
    _installed()
    assert _watched(program.format(bundle=str(packaged_bundle_path())), tmp_path) == []
