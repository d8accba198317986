"""Start-up and memory of one artifact, measured in a process of its own, which prints its figures as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from edgeau._system.child import SAME_PATH
from edgeau_apps.peak_memory import peak_memory_mb

__all__ = ["Start", "measured_start"]

_SECONDS = 120


@dataclass(frozen=True)
class Start:
    """From starting Python to the first answer, seconds; largest resident memory, 1e6 bytes, None where it is not told."""

    seconds: float
    memory_mb: float | None


def measured_start(bundle: Path, artifact: str, threads: int) -> Start | None:
    """The start of one artifact, as :meth:`edgeau.bundle.Bundle.name` names it, or None when its process fails."""
    started = time.perf_counter()
    code = f"{SAME_PATH}from edgeau_apps.bench.cold_start import _answer; _answer(*sys.argv[1:])"
    command = [sys.executable, "-c", code, repr(sys.path), str(bundle), artifact, str(threads)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    # The process says when it had its answer: ending it and reading its output are no part of a start.
    said = json.loads(done.stdout.splitlines()[-1])
    return Start(said["answered"] - started, said["memory_mb"])


def _answer(bundle_path: str, name: str, threads: str) -> None:
    import numpy as np

    from edgeau.bundle import load_bundle
    from edgeau.runtimes import open_session

    bundle = load_bundle(bundle_path)
    artifact = bundle.artifacts(name)[0]
    spec = bundle.manifest.input
    with open_session(artifact.runtime, bundle.path(artifact.file), threads=int(threads)) as session:
        session.run(np.zeros((1, *spec.shape), np.float32))
        answered = time.perf_counter()  # on Linux the same clock in every process
        memory_mb = peak_memory_mb()
    print(json.dumps({"answered": answered, "memory_mb": memory_mb}))
