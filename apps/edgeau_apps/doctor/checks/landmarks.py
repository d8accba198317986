"""Face landmarks: MediaPipe's networks, and LiteRT to run them; or mediapipe itself."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau.faces.landmarks.mediapipe_models import ADVICE, ENVIRONMENT
from edgeau_apps.doctor.compatibility import install_line
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]

_NO_NETWORKS = (0, 10, 30)  # from here on mediapipe carries none


def check(machine: MachineDescription) -> Iterator[Finding]:
    """Check that landmarks can be had."""
    mediapipe = machine.version("mediapipe")
    itself = mediapipe is not None and mediapipe < _NO_NETWORKS
    litert = machine.version("ai-edge-litert") or machine.version("tflite-runtime")
    if machine.landmark_models_fault:
        fix = f"correct or unset {ENVIRONMENT}, or: {ADVICE}"
        yield Finding("problem", "landmarks", machine.landmark_models_fault, fix)
    elif litert and (machine.landmark_models or itself):
        place = machine.landmark_models or f"those of mediapipe {machine.packages['mediapipe']}"
        yield Finding("good", "landmarks", f"{place}, in LiteRT")
    elif itself:
        yield Finding("good", "landmarks", f"mediapipe {machine.packages['mediapipe']}, with its networks")
    elif litert and machine.landmarks_in_bundle:
        yield Finding("good", "landmarks", "the bundle brings its networks, and LiteRT is there")
    elif litert:
        yield Finding(
            "problem",
            "landmarks",
            "this machine has no face landmark networks; bundles made where some are bring theirs",
            ADVICE,
        )
    else:
        yield _without_litert(machine)


def _without_litert(machine: MachineDescription) -> Finding:
    line = install_line("ai-edge-litert", machine)
    if line is None:
        return Finding(
            "problem",
            "landmarks",
            f"their networks run in LiteRT, which has no wheel for Python {machine.python} on {machine.architecture}",
            "use Python 3.10 to 3.13 on a 64-bit system",
        )
    return Finding("problem", "landmarks", "their networks run in LiteRT, which is not installed", line)
