r"""``light`` beside ``default``: processor time of the networks and of the whole pipeline, in turns in one process, and sizes.

    python benchmarks/light.py [--artifact litert/int8] [--rounds 20] [--out result.json]

Times are processor time of this process with engines of one thread, so that other programs on the machine count little; each
round measures one after the other, and the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from this_machine import measured_here

from edgeau import Pipeline, open_source
from edgeau.bundle import PACKAGED, load_bundle, packaged_bundle_path
from edgeau.bundle.golden import read_golden
from edgeau.bundle.preprocessing import input_of
from edgeau.runtimes import open_session

_FRAMES = 60
_RUNS = 8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--artifact", default="litert/int8", help="of both bundles (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="default %(default)s")
    parser.add_argument("--out", type=Path, metavar="JSON")
    options = parser.parse_args()
    measured = measured_here()
    networks = _networks(options.artifact, options.rounds)
    pipelines = _pipelines(options.artifact, options.rounds)
    result = {
        **measured,
        "artifact": options.artifact,
        "bytes": {name: _artifact(name, options.artifact).bytes for name in PACKAGED},
        "network_ms": networks,
        "network_share": networks["light"] / networks["default"],
        "pipeline_ms": pipelines,
        "frames_a_second": {name: 1000 / value for name, value in pipelines.items()},
        "pipeline_speedup": pipelines["default"] / pipelines["light"],
    }
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


def _artifact(name: str, selection: str) -> Any:
    return load_bundle(packaged_bundle_path(name)).artifacts(selection)[0]


def _networks(selection: str, rounds: int) -> dict[str, float]:
    """Median processor time of one face, milliseconds."""
    sessions, batches = {}, {}
    for name in PACKAGED:
        bundle = load_bundle(packaged_bundle_path(name))
        artifact = _artifact(name, selection)
        sessions[name] = open_session(artifact.runtime, bundle.path(artifact.file), threads=1)
        crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:1]
        batches[name] = input_of(sessions[name], bundle.manifest.input, crops)
        sessions[name].run(batches[name])
    times: dict[str, list[float]] = {name: [] for name in PACKAGED}
    for _ in range(rounds * _RUNS):
        for name, session in sessions.items():
            began = time.process_time()
            session.run(batches[name])
            times[name].append(time.process_time() - began)
    return {name: 1000 * float(np.median(values)) for name, values in times.items()}


def _pipelines(selection: str, rounds: int) -> dict[str, float]:
    """Median processor time of one frame of the packaged clip, from picture to smoothed action units, milliseconds."""
    with open_source("clip") as source:
        frames: list[NDArray[np.uint8]] = [
            frame.image for frame, _ in zip(source, range(_FRAMES), strict=False)
        ]
    pipelines = {name: Pipeline.load(name, artifact=selection, threads=1, max_faces=1) for name in PACKAGED}
    times: dict[str, list[float]] = {name: [] for name in PACKAGED}
    for frame in frames[:5]:
        for pipeline in pipelines.values():
            pipeline.track(frame)
    for number in range(max(1, rounds // 10)):
        for frame in frames[:: 1 if number % 2 == 0 else -1]:
            for name, pipeline in pipelines.items():
                began = time.process_time()
                pipeline.track(frame)
                times[name].append(time.process_time() - began)
    for pipeline in pipelines.values():
        pipeline.close()
    return {name: 1000 * float(np.median(values)) for name, values in times.items()}


if __name__ == "__main__":
    main()
