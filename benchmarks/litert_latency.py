"""Time of one crop, in one thread: every file that edgeau can ship beside OpenVINO and other tools' INT8, in one run.

    python benchmarks/litert_latency.py BUNDLE [--peers-python PEERS/bin/python] [--also peer=litert:peer.tflite]
        [--write PAGE] --out out/

Rows are the bundle's artifacts, the TFLite precisions and fixed batches that its target leaves out, and OpenVINO on its ONNX
files: in float32, and as OpenVINO computes where nothing is asked of it. With ``--peers-python``, an environment made from
``peers-requirements.txt``, NNCF and ai-edge-quantizer quantize the float file on packaged calibration crops at their defaults.

Every row keeps its engine open. Each round visits all rows in a new order, so that a slow second of the machine meets all of
them; a row's first call of a visit is not counted. Reported are the 10th percentile of wall time, and of the processor time that
the process used, which other programs on the machine disturb less. At the end stands what edgeau chooses of this bundle at its
first start, and how far that is from the fastest row that edgeau can ship. ``--write`` puts the table into a page, between the
marks "begin: litert_latency" and "end: litert_latency".
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from left_out import FLOAT, batch_one_files, tflite_files
from page_part import write_part
from this_machine import measured_here
from tqdm import tqdm

from edgeau._system.timing import RunTimes
from edgeau.bundle import Bundle, load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.bundle.select import select_artifact
from edgeau.runtimes import open_session
from edgeau_calibration.data.load import load_calibration_set
from edgeau_export.onnx_to_tflite import tflite_bytes

Run = Callable[[np.ndarray], np.ndarray]

_CROPS = 16
# Their INT8 by name: the tool's name in int8_peers.py, and the engine that runs what it makes.
PEERS = {
    "NNCF": ("nncf", "openvino"),
    "NNCF, MIXED": ("nncf-mixed", "openvino"),
    "ai-edge-quantizer": ("ai-edge-quantizer", "litert"),
}


@dataclass
class Row:
    """One engine on one file; ``ours`` when edgeau can ship it."""

    name: str
    engine: str
    ours: bool
    megabytes: float
    run: Run = field(repr=False)
    times: RunTimes = field(default_factory=RunTimes)

    def visit(self, crop: np.ndarray, calls: int) -> None:
        """A few timed calls after one that brings the weights back into the caches."""
        self.run(crop)
        for _ in range(calls):
            self.times.run(lambda: self.run(crop))

    def result(self) -> Result:
        """The figures that are reported of it."""
        wall, cpu = (
            round(float(np.percentile(times, 10)), 2) for times in (self.times.wall_ms, self.times.cpu_ms)
        )
        return Result(self.name, self.engine, self.ours, self.megabytes, wall, cpu, len(self.times))


@dataclass(frozen=True)
class Result:
    """A row's 10th percentiles, milliseconds."""

    name: str
    engine: str
    ours: bool
    megabytes: float
    wall_ms: float
    cpu_ms: float
    calls: int


def session_row(name: str, runtime: str, file: Path, *, ours: bool) -> Row:
    """A row of an engine that edgeau has."""
    session = open_session(runtime, file, threads=1)
    return Row(name, str(session.describe()), ours, _megabytes(file), session.run)


def openvino_row(name: str, file: Path, *, exact: bool = True) -> Row:
    """OpenVINO on an ONNX file; without ``exact`` it may compute in half precision where the processor is faster so."""
    import openvino

    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    options |= {"INFERENCE_PRECISION_HINT": "f32"} if exact else {}
    core = openvino.Core()
    model = core.read_model(file)
    _, *crop = model.input().get_partial_shape()
    model.reshape([1, *(axis.get_length() for axis in crop)])
    compiled = core.compile_model(model, "CPU", options)
    request = compiled.create_infer_request()
    kind = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    engine = f"openvino {openvino.__version__.split('-')[0]} (floats as {kind})"
    return Row(name, engine, False, _megabytes(file), lambda x: request.infer([x])[0])


def own_rows(bundle: Bundle, folder: Path) -> Iterator[Row]:
    """Everything that edgeau can ship of this network."""
    for artifact in bundle.manifest.artifacts:
        yield session_row(artifact.file, artifact.runtime, bundle.path(artifact.file), ours=True)
    for name, runtime, file in (*tflite_files(bundle, folder), *batch_one_files(bundle, folder)):
        yield session_row(f"{name}, not in this bundle", runtime, file, ours=True)


def openvino_rows(bundle: Bundle) -> Iterator[Row]:
    """OpenVINO on the bundle's ONNX files."""
    for artifact in bundle.manifest.artifacts:
        if artifact.runtime == "onnxruntime":
            file = bundle.path(artifact.file)
            yield openvino_row(f"{artifact.file} in OpenVINO", file)
            yield openvino_row(f"{artifact.file} in OpenVINO, its own precision", file, exact=False)


def peer_rows(bundle: Bundle, python: Path, folder: Path) -> Iterator[Row]:
    """Make other tools' files of the float file on a few of the packaged crops: ranges do not change the time."""
    crops = load_calibration_set(None, bundle.manifest.alignment).crops[:_CROPS]
    np.save(folder / "crops.npy", Preprocessor(bundle.manifest.input).batch(crops))
    float_file = bundle.path(FLOAT)
    content = tflite_bytes(onnx.load(float_file), precision="fp32", metadata={})
    (folder / "float.tflite").write_bytes(content)
    for name, (tool, engine) in PEERS.items():
        print(f"{name} quantizes", flush=True)
        source, suffix = (folder / "float.tflite", "tflite") if engine == "litert" else (float_file, "onnx")
        made = folder / f"{tool}.{suffix}"
        script = Path(__file__).with_name("int8_peers.py")
        subprocess.run([python, script, tool, source, folder / "crops.npy", made], check=True)
        if engine == "openvino":
            yield openvino_row(f"INT8 of {name} in OpenVINO", made)
            yield openvino_row(f"INT8 of {name} in OpenVINO, its own precision", made, exact=False)
        else:
            yield session_row(f"INT8 of {name}", engine, made, ours=False)


def given_row(item: str) -> Row:
    """A row of ``NAME=ENGINE:FILE``."""
    name, _, place = item.partition("=")
    engine, _, file = place.partition(":")
    if engine == "openvino":
        return openvino_row(name, Path(file))
    return session_row(name, engine, Path(file), ours=False)


def choice(bundle: Bundle, folder: Path) -> str:
    """The artifact that edgeau takes at a first start with one thread: nothing is remembered in ``folder``."""
    os.environ["XDG_CACHE_HOME"] = str(folder)
    chosen = select_artifact(bundle, threads=1)
    chosen.session.close()
    return chosen.artifact.file


def distance(results: Sequence[Result], chosen: str) -> dict[str, object]:
    """Compute how much longer the chosen row takes than the fastest that edgeau can ship; 1 when it is that one."""
    (row,) = (result for result in results if result.name == chosen)
    ours = [result for result in results if result.ours]
    fastest = min(ours, key=lambda result: result.cpu_ms)
    return {
        "chosen": chosen,
        "fastest": fastest.name,
        "times_cpu": round(row.cpu_ms / fastest.cpu_ms, 3),
        "times_wall": round(row.wall_ms / min(result.wall_ms for result in ours), 3),
    }


def table(report: Mapping[str, Any]) -> str:
    """Markdown."""
    chosen = report["choice"]
    lines = [f"{report['machine']}, {report['date']}, one thread.", ""]
    lines += ["| row | engine | MB | wall ms | CPU ms |", "|---|---|---|---|---|"]
    lines += [
        f"| {r['name']} | {r['engine']} | {r['megabytes']} | {r['wall_ms']:.2f} | {r['cpu_ms']:.2f} |"
        for r in report["rows"]
    ]
    sentence = (
        f"Chosen at the first start: {chosen['chosen']}, {chosen['times_cpu']} times the processor time of the fastest row "
        f"that edgeau can ship ({chosen['fastest']}), {chosen['times_wall']} times the least wall time."
    )
    return "\n".join([*lines, "", sentence])


def _megabytes(file: Path) -> float:
    return round(file.stat().st_size / 1e6, 1)


def measured(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The report."""
    bundle = load_bundle(arguments.bundle)
    rows = [*own_rows(bundle, folder), *map(given_row, arguments.also)]
    rows += [] if arguments.without_openvino else openvino_rows(bundle)
    rows += peer_rows(bundle, arguments.peers_python, folder) if arguments.peers_python else []
    chosen = choice(bundle, folder)
    golden = read_golden(bundle.path(bundle.manifest.golden))
    crop = Preprocessor(bundle.manifest.input).batch(golden.crops[:1]).copy()
    order, where = random.Random(0), measured_here()
    for _ in tqdm(range(arguments.rounds), unit="round", disable=None):
        for row in order.sample(rows, len(rows)):
            row.visit(crop, arguments.calls)
    results = sorted((row.result() for row in rows), key=lambda result: result.cpu_ms)
    return {
        **where,
        "rows": [vars(result) for result in results],
        "choice": distance(results, chosen),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--also", action="append", default=[], metavar="NAME=ENGINE:FILE")
    parser.add_argument("--peers-python", type=Path, metavar="PYTHON")
    parser.add_argument("--without-openvino", action="store_true")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measured(arguments, Path(folder))
    text = table(report)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "litert_latency.md").write_text(text + "\n", encoding="utf-8")
    (arguments.out / "litert_latency.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if arguments.write:
        write_part(arguments.write, "litert_latency", text)
    print(text)


if __name__ == "__main__":
    main()
