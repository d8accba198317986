"""Provenance of a part: where, when and with what it was measured."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from this_machine import load

from edgeau import __version__
from edgeau._system.processor import processor_name
from edgeau.bundle import load_bundle, packaged_bundle_path

PACKAGES = ("ai-edge-litert", "mediapipe", "numpy", "onnxruntime", "opencv-python", "openvino")
PEERS = ("ai-edge-quantizer", "ncnn", "nncf", "openvino", "pnnx")


def provenance(command: str, before: float, started: float, peers: Path) -> dict[str, Any]:
    """Describe the run of a part that has just ended.

    Args:
        command: that made it.
        before: :func:`this_machine.load` when it began.
        started: ``time.monotonic()`` then.
        peers: the Python of the other tools.
    """
    bundle = load_bundle(packaged_bundle_path())
    return {
        "command": command,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(time.monotonic() - started),
        "processor": processor_name(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": before,
        "load_after": load(),
        "python": platform.python_version(),
        "edgeau": __version__,
        "bundle": bundle.digest,
        "network": bundle.manifest.network.title,
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "peers": _versions(peers),
    }


def _versions(python: Path) -> dict[str, str]:
    code = f"from importlib.metadata import version\nfor one in {PEERS}: print(one, version(one))"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in said.splitlines())
