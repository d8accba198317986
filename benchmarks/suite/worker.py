"""One subject of a comparison in a process of its own; run by turns.py, in whichever environment has the subject's packages.

    PYTHON benchmarks/suite/worker.py '{"kind": "openvino", "file": "model.onnx", "threads": 1, ...}'

It says on standard output, one JSON document a line, what it is (with the answers to some crops where it is a network), and
then, for each number of calls that it reads, the wall and processor time of each call in milliseconds. The first call of a
visit is not counted: it brings code and weights back into the caches that the others used meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

_DOCUMENTS = sys.stdout  # packages print what they like; only documents go to the pipe
sys.stdout = sys.stderr


def say(document: dict[str, Any]) -> None:
    print(json.dumps(document), file=_DOCUMENTS, flush=True)


def network(run: Callable[[Any], Any], engine: str, subject: dict[str, Any]) -> tuple[Callable[[], Any], Any]:
    """Something that answers crops: timed on the first, compared by its logits of all."""
    import numpy as np

    crops = np.load(subject["crops"])
    one = crops[:1].copy()
    logits = [np.asarray(run(crop[None].copy())).reshape(-1).tolist() for crop in crops]
    return lambda: run(one), {"engine": engine, "logits": logits}


def session(subject: dict[str, Any]) -> Any:
    """An engine that edgeau ships."""
    from edgeau.runtimes import open_session

    opened = open_session(subject["runtime"], Path(subject["file"]), threads=subject["threads"])
    about = opened.describe()
    return network(opened.run, f"{about.engine} {about.version}", subject)


def openvino(subject: dict[str, Any]) -> Any:
    import openvino as ov

    core = ov.Core()
    model = core.read_model(subject["file"])
    _, *crop = model.input().get_partial_shape()
    model.reshape([1, *(axis.get_length() for axis in crop)])
    options = {
        "INFERENCE_NUM_THREADS": subject["threads"],
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", options).create_infer_request()
    version = ov.__version__.split("-")[0]
    return network(lambda batch: request.infer([batch])[0].copy(), f"openvino {version}", subject)


def ncnn(subject: dict[str, Any]) -> Any:
    import ncnn
    import numpy as np

    net = ncnn.Net()
    net.opt.num_threads = subject["threads"]
    net.load_param(subject["file"])
    net.load_model(str(Path(subject["file"]).with_suffix(".bin")))

    def run(batch: Any) -> Any:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(batch[0]))
        return np.array(extractor.extract("out0")[1])

    return network(run, f"ncnn {ncnn.__version__}", subject)


def clip(subject: dict[str, Any]) -> Iterator[Any]:
    """The packaged clip without end: pictures of the wanted size with one, two or four faces."""
    import cv2

    from edgeau import open_source

    sys.path.insert(0, str(Path(__file__).parent))
    from frames import frame_of

    cv2.setNumThreads(subject["threads"])
    with open_source("clip") as source:
        frames = [
            frame_of(frame.image, subject["faces"], subject["width"], subject["height"]) for frame in source
        ]
    return cycle(frames)


def facemesh(subject: dict[str, Any]) -> Any:
    """MediaPipe's face landmarks as one would call them by hand."""
    import cv2
    import mediapipe
    from mediapipe.python.solutions import face_mesh

    frames = clip(subject)
    mesh = face_mesh.FaceMesh(max_num_faces=subject["max_faces"], refine_landmarks=subject["irises"])
    found: list[int] = []

    def run() -> None:
        faces = mesh.process(cv2.cvtColor(next(frames), cv2.COLOR_BGR2RGB)).multi_face_landmarks
        found.append(len(faces or ()))

    for _ in range(10):
        run()
    return run, {"engine": f"mediapipe {mediapipe.__version__}", "faces_found": found[-1]}


def pipeline(subject: dict[str, Any]) -> Any:
    from edgeau import Pipeline

    frames = clip(subject)
    opened = Pipeline.load(
        subject["file"],
        threads=subject["threads"],
        max_faces=subject["max_faces"],
        artifact=subject["artifact"],
    )
    for _ in range(10):
        faces = opened.track(next(frames)).faces
    about = opened.describe()
    said = {"engine": f"{about.engine} {about.version}", "artifact": opened.artifact.file}
    return lambda: opened.track(next(frames)), {**said, "faces_found": len(faces)}


KINDS = {kind.__name__: kind for kind in (session, openvino, ncnn, facemesh, pipeline)}


def main() -> None:
    subject = json.loads(sys.argv[1])
    if subject["processors"] is not None:
        os.sched_setaffinity(0, subject["processors"])
    try:
        run, about = KINDS[subject["kind"]](subject)
    except Exception as error:  # noqa: BLE001 - whatever another tool raises is the answer of this row
        say({"fault": f"{type(error).__name__}: {error}".splitlines()[0]})
        return
    say(about)
    for line in sys.stdin:
        run()
        wall, cpu = [], []
        for _ in range(int(line)):
            started, started_cpu = time.perf_counter(), time.process_time()
            run()
            cpu.append((time.process_time() - started_cpu) * 1e3)
            wall.append((time.perf_counter() - started) * 1e3)
        say({"wall_ms": wall, "cpu_ms": cpu})


if __name__ == "__main__":
    main()
