"""What runs on both machines, this one and the emulated one: every artifact of a bundle on the same pictures.

python guest.py analyze BUNDLE MODELS FRAMES OUT.json
python guest.py infer BUNDLE ARTIFACT TIMES
"""

from __future__ import annotations

import json
import logging
import platform
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from edgeau import AUDetector, Pipeline, load_bundle, open_source
from edgeau.bundle.golden import read_golden


def analyze(bundle_path: str, models: str, frames: str, out: str) -> None:
    """Every artifact on the golden crops, and the whole pipeline with it on frames of the packaged clip."""
    logging.basicConfig(level=logging.WARNING)
    bundle = load_bundle(bundle_path)
    crops = read_golden(bundle.path(bundle.manifest.golden)).crops
    answers = {}
    for artifact in bundle.manifest.artifacts:
        start = time.perf_counter()
        try:
            with AUDetector.load(bundle, engine=artifact.file, threads=1) as detector:
                found = detector.detect(crops)
                engine = str(detector.describe())
            faces = _clip(bundle_path, artifact.file, models, int(frames))
        except Exception as error:  # noqa: BLE001 - a refusal is an answer that the comparison must see
            answers[artifact.file] = {"fault": f"{type(error).__name__}: {error}"}
            continue
        answers[artifact.file] = {
            "engine": engine,
            "precision": artifact.precision,
            "labels": list(found.labels),
            "probabilities": found.probabilities.tolist(),
            "decisions": found.decisions.tolist(),
            "clip": faces,
            "seconds": time.perf_counter() - start,
        }
    machine = {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__}
    Path(out).write_text(json.dumps({"machine": machine, "artifacts": answers}))


def _clip(bundle_path: str, artifact: str, models: str, frames: int) -> list[dict[str, Any]]:
    faces = []
    with (
        Pipeline.load(
            bundle_path, engine=artifact, threads=1, max_faces=1, landmarker_model=models
        ) as pipeline,
        open_source("clip") as source,
    ):
        for result in islice(pipeline.stream(source), frames):
            for face in result.faces:
                known = {name: au for name, au in face.aus.items() if au.probability is not None}
                faces.append(
                    {
                        "frame": result.index,
                        "probabilities": {name: au.probability for name, au in known.items()},
                        "decisions": {name: au.active for name, au in known.items()},
                        "landmarks": face.landmarks[::13].tolist(),
                    }
                )
    return faces


def infer(bundle_path: str, artifact: str, times: str) -> None:
    """Run one artifact on one crop some times, and nothing else that depends on how many."""
    from edgeau.backends import open_session
    from edgeau.preprocessing import Preprocessor

    bundle = load_bundle(bundle_path)
    (found,) = bundle.artifacts(artifact)
    crop = Preprocessor(bundle.manifest.input).batch(
        read_golden(bundle.path(bundle.manifest.golden)).crops[:1]
    )
    with open_session(found.runtime, bundle.path(found.file), threads=1) as session:
        session.run(crop)
        for _ in range(int(times)):
            session.run(crop)


if __name__ == "__main__":
    {"analyze": analyze, "infer": infer}[sys.argv[1]](*sys.argv[2:])
