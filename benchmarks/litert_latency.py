"""How long one crop takes, in one thread: a bundle's artifacts beside files of other tools and beside OpenVINO, in one run.

    python benchmarks/litert_latency.py BUNDLE --also peer-int8=litert:peer.int8.tflite --out out/

Every row keeps its engine open. Each round visits all rows in a new order, so that a slow second of the machine meets all of
them; a row's first call of a visit is not counted. Reported are the 10th percentile of wall time, and of the processor time that
the process used, which other programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edgeau.backends import open_session
from edgeau.bundle import load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.preprocessing import Preprocessor

Run = Callable[[np.ndarray], np.ndarray]


@dataclass
class Row:
    """One engine on one file."""

    name: str
    engine: str
    ours: bool
    megabytes: float
    run: Run = field(repr=False)
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def visit(self, crop: np.ndarray, calls: int) -> None:
        """A few timed calls after one that brings the weights back into the caches."""
        self.run(crop)
        for _ in range(calls):
            wall, cpu = time.perf_counter(), time.process_time()
            self.run(crop)
            self.cpu_ms.append((time.process_time() - cpu) * 1e3)
            self.wall_ms.append((time.perf_counter() - wall) * 1e3)

    def result(self) -> dict[str, object]:
        shown = {key: value for key, value in _facts(self).items() if not key.endswith("_ms")}
        wall, cpu = (round(float(np.percentile(times, 10)), 2) for times in (self.wall_ms, self.cpu_ms))
        return shown | {"wall_ms": wall, "cpu_ms": cpu, "calls": len(self.wall_ms)}


def _facts(row: Row) -> dict[str, object]:
    """The row's facts."""
    return {key: getattr(row, key) for key in ("name", "engine", "ours", "megabytes", "wall_ms", "cpu_ms")}


def session_row(name: str, runtime: str, file: Path, *, ours: bool) -> Row:
    """A row of an engine that edgeau ships."""
    session = open_session(runtime, file, threads=1)
    return Row(name, str(session.describe()), ours, _megabytes(file), session.run)


def openvino_row(name: str, file: Path) -> Row:
    """OpenVINO, which edgeau does not ship, on an ONNX file."""
    import openvino

    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    model = core.read_model(file)
    _, *crop = model.input().get_partial_shape()
    model.reshape([1, *(axis.get_length() for axis in crop)])
    compiled = core.compile_model(model, "CPU", options)
    request = compiled.create_infer_request()
    version = openvino.__version__.split("-")[0]
    return Row(name, f"openvino {version}", False, _megabytes(file), lambda x: request.infer([x])[0])


def rows(bundle_path: Path, also: list[str], *, openvino: bool) -> tuple[list[Row], np.ndarray]:
    """All rows, and one normalised crop."""
    bundle = load_bundle(bundle_path)
    found = []
    for artifact in bundle.manifest.artifacts:
        file = bundle.path(artifact.file)
        found.append(session_row(artifact.file, artifact.runtime, file, ours=True))
        if openvino and artifact.runtime == "onnxruntime":
            found.append(openvino_row(f"{artifact.file} in OpenVINO", file))
    for item in also:
        name, _, place = item.partition("=")
        runtime, _, file_name = place.partition(":")
        file = Path(file_name)
        found.append(
            openvino_row(name, file)
            if runtime == "openvino"
            else session_row(name, runtime, file, ours=False)
        )
    golden = read_golden(bundle.path(bundle.manifest.golden))
    return found, Preprocessor(bundle.manifest.input).batch(golden.crops[:1]).copy()


def table(results: list[dict[str, object]]) -> str:
    """Markdown."""
    lines = ["| row | engine | MB | wall ms | CPU ms |", "|---|---|---|---|---|"]
    lines += [
        f"| {r['name']} | {r['engine']} | {r['megabytes']} | {r['wall_ms']} | {r['cpu_ms']} |"
        for r in results
    ]
    return "\n".join(lines) + "\n"


def _megabytes(file: Path) -> float:
    return round(file.stat().st_size / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--also", action="append", default=[], metavar="NAME=ENGINE:FILE")
    parser.add_argument("--without-openvino", action="store_true")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    found, crop = rows(arguments.bundle, arguments.also, openvino=not arguments.without_openvino)
    order = random.Random(0)
    for _ in tqdm(range(arguments.rounds), unit="round", disable=None):
        for row in order.sample(found, len(found)):
            row.visit(crop, arguments.calls)
    results = sorted((row.result() for row in found), key=lambda r: float(str(r["cpu_ms"])))
    report = {"machine": platform.machine(), "processor": _processor(), "threads": 1, "rows": results}
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "litert_latency.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (arguments.out / "litert_latency.md").write_text(table(results), encoding="utf-8")
    print(table(results))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main()
