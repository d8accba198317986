"""Start-up and memory of one artifact, measured in a process of its own.

``python -m edgeau_apps.bench.start BUNDLE FILE THREADS`` prints its figures as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Start", "measured_start"]

_SECONDS = 120


@dataclass(frozen=True)
class Start:
    """From starting Python to the first answer, seconds; largest resident memory, 1e6 bytes."""

    seconds: float
    memory_mb: float


def measured_start(bundle: Path, file: str, threads: int) -> Start | None:
    """The start of one artifact, or None when its process fails."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "edgeau_apps.bench.start", str(bundle), file, str(threads)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    # The process says when it had its answer: ending it and reading its output are no part of a start.
    said = json.loads(done.stdout.splitlines()[-1])
    return Start(said["answered"] - started, said["memory_mb"])


def _answer(bundle_path: str, file: str, threads: str) -> None:
    import resource

    import numpy as np

    from edgeau.backends import open_session
    from edgeau.bundle import load_bundle

    bundle = load_bundle(bundle_path)
    (artifact,) = (one for one in bundle.manifest.artifacts if one.file == file)
    spec = bundle.manifest.input
    with open_session(artifact.runtime, bundle.path(file), threads=int(threads)) as session:
        session.run(np.zeros((1, 3, *spec.size), np.float32))
        answered = time.perf_counter()  # on Linux the same clock in every process
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"answered": answered, "memory_mb": kilobytes * 1024 / 1e6}))


if __name__ == "__main__":
    _answer(*sys.argv[1:])
