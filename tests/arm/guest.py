"""What runs on both machines, this one and the emulated one: every artifact of a bundle on the same pictures.

python guest.py BUNDLE ARTIFACTS CROPS PICTURES OUT.json

ARTIFACTS are file names with commas between them, or nothing for all.
Landmarks are found with the networks of the bundle.
PICTURES is a folder with the first frames of the packaged clip as PNG files: OpenCV's decoders turn a film's colours into
blue, green and red with other roundings on x86 than on ARM, and that is not what is compared here. How far they are apart is
noted.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgeau import Bundle, Pipeline, load_bundle, open_source
from edgeau.action_units.network import AUDetector
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.metrics import sigmoid
from edgeau.runtimes import open_session
from edgeau.runtimes.session import FunctionSession, Session
from edgeau.stages import FrameStages

# The counter of instructions (instructions.c) notes its count when this is closed.
_MARK = 987654


def main(bundle_path: str, names: str, crops: str, pictures: str, out: str) -> None:
    """Artifacts on golden crops, and the whole pipeline with it on frames of the packaged clip."""
    logging.basicConfig(level=logging.WARNING)
    bundle = load_bundle(bundle_path)
    frames = [cv2.imread(str(path)) for path in sorted(Path(pictures).glob("*.png"))]
    wanted = names.split(",") if names else [artifact.file for artifact in bundle.manifest.artifacts]
    answers = {}
    for artifact in bundle.manifest.artifacts:
        if artifact.file not in wanted:
            continue
        start = time.perf_counter()
        try:
            answer = _answer(bundle, artifact, int(crops), frames)
        except Exception as error:  # noqa: BLE001 - a refusal is an answer that the comparison must see
            answer = {"fault": f"{type(error).__name__}: {error}"}
        answers[artifact.file] = {
            **answer,
            "precision": artifact.precision,
            "seconds": time.perf_counter() - start,
        }
        print(artifact.file, f"{answers[artifact.file]['seconds']:.1f} s", file=sys.stderr, flush=True)
    machine = {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__}
    film = {"frames": len(frames), "mean_level_difference": _film_difference(frames)}
    Path(out).write_text(json.dumps({"machine": machine, "film": film, "artifacts": answers}))


def _film_difference(frames: list[np.ndarray]) -> float:
    """Mean absolute difference of the clip decoded here from the frames, in levels of 0..255."""
    with open_source("clip") as source:
        pairs = zip(source, frames, strict=False)
        return float(np.mean([cv2.absdiff(mine.image, given).mean() for mine, given in pairs]))


def _answer(bundle: Bundle, artifact: Artifact, crops: int, frames: list[np.ndarray]) -> dict[str, Any]:
    golden = read_golden(bundle.path(bundle.manifest.golden))
    batch = Preprocessor(bundle.manifest.input).batch(golden.crops[:crops])
    with open_session(artifact.runtime, bundle.path(artifact.file), threads=1) as session:
        logits = np.concatenate([session.run(crop[None]) for crop in batch])
        thresholds = np.array([artifact.thresholds[label] for label in bundle.manifest.labels], np.float32)
        answer = {
            "engine": str(session.describe()),
            "logits": logits.tolist(),
            "probabilities": sigmoid(logits).tolist(),
            "decisions": (sigmoid(logits) >= thresholds).tolist(),
            "golden": _golden_fault(bundle, artifact, logits) if crops >= len(golden.crops) else "not asked",
            "clip": _clip(bundle, artifact, session, frames),
        }
        _mark()
        session.run(batch[:1])
        _mark()
    return answer


def _golden_fault(bundle: Bundle, artifact: Artifact, logits: np.ndarray) -> str | None:
    """What the check at the first start on a machine says of these logits; None when they pass."""
    golden = read_golden(bundle.path(bundle.manifest.golden))
    try:
        with FunctionSession(lambda _: logits) as answered:
            check_golden(golden, artifact, answered, bundle.manifest.input, bundle.manifest.labels)
    except Exception as error:  # noqa: BLE001 - said in the report
        return str(error)
    return None


def _clip(
    bundle: Bundle, artifact: Artifact, session: Session, frames: list[np.ndarray]
) -> list[dict[str, Any]]:
    detector = AUDetector(bundle, session, artifact, color="BGR")
    pipeline = Pipeline(FrameStages(detector, max_faces=1))
    faces = []
    for frame in frames:
        result = pipeline.process(frame)
        for face in result.faces:
            known = {name: au for name, au in face.aus.items() if au.probability is not None}
            faces.append(
                {
                    "frame": result.index,
                    "probabilities": {name: au.probability for name, au in known.items()},
                    "decisions": {name: bool(au.active) for name, au in known.items()},
                    "landmarks": face.landmarks[::13].tolist(),
                }
            )
    return faces


def _mark() -> None:
    with suppress(OSError):
        os.close(_MARK)


if __name__ == "__main__":
    main(*sys.argv[1:])
