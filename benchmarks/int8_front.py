"""F1 against integers: every INT8 recipe of edgeau, alone and within the budget, beside other tools' own defaults.

    python benchmarks/int8_front.py --data DIR --work DIR [--checkpoint FILE] [--faces N] [--peers-python PYTHON]
        [--rows NAME,...] [--latency] [--write PAGE] [--json]

The same float network, the same calibration crops (of the training split), thresholds fitted on the validation split, F1
measured on the test split. What was made and answered is kept in --work, so that a run that was broken off goes on. Other
tools are run by --peers-python, an environment of benchmarks/peers-requirements.txt. NNCF's files are answered by OpenVINO, its
own engine: ONNX Runtime refuses their pooling with a scale a channel. Prints a table (with --json the
document); both also stand in --work as int8_front.md and int8_front.json. --write puts the table into a page, between the
marks "begin: int8_front NETWORK" and "end: int8_front NETWORK".
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from page_part import write_part
from this_machine import machine_name, today
from tqdm import tqdm

from edgeau._system.atomic_file import atomic_path, write_whole
from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, run
from edgeau._system.timing import RunTimes
from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import EdgeauError, InputError
from edgeau.metrics import fitted_thresholds, sigmoid
from edgeau.runtimes import open_session
from edgeau.runtimes.session import FunctionSession, Session
from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.data.labelled import EvaluationFaces, labelled_faces
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.evaluation.accuracy import LabelledEvaluator
from edgeau_calibration.graph.macs import integer_share, macs_by_node
from edgeau_calibration.quantizer import StaticQuantizer
from edgeau_calibration.recipe import load_recipe
from edgeau_calibration.search.budget import Budget, within_budget
from edgeau_export.onnx_to_tflite import tflite_bytes
from edgeau_export.profiling.from_tflite import profile_of_tflite
from edgeau_export.report.int8.f1_intervals import score
from edgeau_export.source_network.from_checkpoint import CheckpointSource
from edgeau_export.source_network.from_packaged import PackagedSource

NAME = "benchmarks/int8_front.py"
FLOAT = "float32"
RECIPES = (
    "plain",
    "moving-average",
    "percentile",
    "entropy",
    "least-error",
    "float-silu",
    "per-tensor",
    "eight-bit",
    "float-gates",
    "float-ends",
    "bias-correction",
    "learned-rounding",
    "equalized",
    "robust-float-silu",
    "robust",
)
WITHIN = "robust within the budget"
PEERS = ("onnxruntime", "nncf", "nncf-mixed", "ai-edge-quantizer")
IN_OPENVINO = ("nncf", "nncf-mixed")
SEARCHED = 512  # faces that the budget is searched on; it is confirmed on others of the validation split
ROUNDS, RUNS = 12, 8


@dataclass
class Workshop:
    """The network, its data, and the folder in which results are kept."""

    folder: Path
    source: PackagedSource | CheckpointSource
    data: Path
    crops: int
    faces: int
    peers_python: Path | None
    _quantization: StaticQuantizer | None = None

    @cached_property
    def graph(self) -> onnx.ModelProto:
        return self.source.graph(17)

    @cached_property
    def calibration(self) -> CalibrationSet:
        return load_calibration_set(self.data, self.source.description.alignment, self.crops)

    @cached_property
    def before(self) -> np.ndarray:
        """The float network's own thresholds, the fallback where an AU has too few positives."""
        description = self.source.description
        return np.array([description.thresholds[label] for label in description.labels], np.float32)

    @cached_property
    def key(self) -> str:
        """Names this very network and these very crops."""
        state = hashlib.sha256(self.graph.SerializeToString())
        state.update(self.calibration.digest.encode())
        return state.hexdigest()[:12]

    def split(self, name: str) -> EvaluationFaces:
        if name not in self._splits:
            description = self.source.description
            faces = labelled_faces(self.data, name, description.labels, description.alignment)
            wanted = self.faces if name == "test" else max(200, self.faces // 2)
            self._splits[name] = faces if len(faces) <= wanted else faces.evenly(wanted)
        return self._splits[name]

    @cached_property
    def _splits(self) -> dict[str, EvaluationFaces]:
        return {}

    def quantization(self, recipe: str) -> StaticQuantizer:
        """Make the quantization of a recipe; the last one is kept, since its weights are learned once for "robust" and its budget."""
        if self._quantization is None or self._quantization.recipe.name != recipe:
            self._quantization = StaticQuantizer(
                self.graph, self.calibration.crops, self.source.description.input, load_recipe(recipe)
            )
        return self._quantization

    def path(self, row: str, suffix: str) -> Path:
        folder = self.folder / self.key
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{row.replace(' ', '-')}{suffix}"

    @property
    def batch(self) -> np.ndarray:
        return Preprocessor(self.source.description.input).batch(self.calibration.crops)


def artifact(shop: Workshop, row: str) -> Path:
    """The file of a row, made unless it is there."""
    file = shop.path(row, ".tflite" if row == "ai-edge-quantizer" else ".onnx")
    if file.is_file():
        return file
    print(f"{NAME}: making {row}", file=sys.stderr, flush=True)
    if row == FLOAT:
        content = shop.graph.SerializeToString()
    elif row in PEERS:
        return peers_artifact(shop, row, file)
    elif row == WITHIN:
        content = within(shop).SerializeToString()
    else:
        content = shop.quantization(row).graph().SerializeToString()
    write_whole(file, content)
    return file


def within(shop: Workshop) -> onnx.ModelProto:
    """The packaged default: robust, with blocks back in float until the budget holds."""
    faces = shop.split("val").evenly(SEARCHED)
    evaluator = LabelledEvaluator(shop.graph, faces, shop.source.description.input, shop.before)
    found = within_budget(shop.quantization("robust"), evaluator, Budget())
    write_whole(shop.path(WITHIN, ".kept.json"), json.dumps(found.kept_float).encode())
    return found.graph


def peers_artifact(shop: Workshop, tool: str, file: Path) -> Path:
    if shop.peers_python is None:
        raise InputError(f"{tool} needs --peers-python; see benchmarks/peers-requirements.txt")
    crops, source = shop.path("crops", ".npy"), artifact(shop, FLOAT)
    np.save(crops, shop.batch)
    if tool == "ai-edge-quantizer":
        source = shop.path(FLOAT, ".tflite")
        write_whole(source, tflite_bytes(shop.graph, precision="fp32", metadata={}))
    with atomic_path(file) as partial:
        command = [shop.peers_python, Path(__file__).with_name("int8_peers.py"), tool, source, crops, partial]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"{tool} failed: {done.stderr.strip().splitlines()[-1]}")
    return file


def answers(shop: Workshop, row: str, split: str) -> np.ndarray:
    """Logits of a row on a split, kept as they come so that a broken run goes on."""
    faces = shop.split(split)
    file = shop.path(row, f".{split}.{len(faces)}.npy")
    if file.is_file():
        return np.load(file)
    preprocessor = Preprocessor(shop.source.description.input)
    starts = range(0, len(faces), 16)
    with opened(shop, row) as session:
        pieces = [
            session.run(preprocessor.batch(faces.crops[start : start + 16])).copy()
            for start in tqdm(starts, desc=f"{row}, {split}", disable=None)
        ]
    logits = np.concatenate(pieces)
    with file.open("wb") as stream:
        np.save(stream, logits)
    return logits


def opened(shop: Workshop, row: str) -> Session:
    """The artifact of a row in its engine, on one thread."""
    path = artifact(shop, row)
    if row in IN_OPENVINO:
        return FunctionSession(openvino_function(path))
    return open_session("litert" if path.suffix == ".tflite" else "onnxruntime", path, threads=1)


def openvino_function(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import openvino

    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(path, "CPU", options).create_infer_request()
    return lambda batch: np.array(request.infer([batch])[0])


def thresholds(shop: Workshop, row: str) -> np.ndarray:
    present = shop.split("val").present
    return fitted_thresholds(sigmoid(answers(shop, row, "val")), present, shop.before)


def measured(shop: Workshop, row: str) -> dict[str, Any]:
    """One row of the table."""
    truth = shop.split("test").present.astype(np.int8)
    before, after = thresholds(shop, FLOAT), thresholds(shop, row)
    float_logits, logits = answers(shop, FLOAT, "test"), answers(shop, row, "test")
    of_float = sigmoid(float_logits) >= before
    reference, as_made, refitted = score(
        truth, [of_float, sigmoid(logits) >= before, sigmoid(logits) >= after]
    )
    path = artifact(shop, row)
    return {
        "name": row,
        "by": row if row in PEERS else "edgeau",
        "f1_mean": reference.mean if row == FLOAT else refitted.mean,
        "drop_as_made": as_made.drop,
        "drop": refitted.drop,
        "drop_interval": refitted.drop_ends.tolist(),
        "drop_worst": refitted.drop_worst,
        "flips": float(((sigmoid(logits) >= after) != of_float).mean()),
        "macs_int8": 0.0 if row == FLOAT else macs_int8(path),
        "bytes": path.stat().st_size,
        "size_ratio": path.stat().st_size / artifact(shop, FLOAT).stat().st_size,
        "latency_p50_ms": None,
    }


def macs_int8(path: Path) -> float:
    if path.suffix == ".tflite":
        return profile_of_tflite(path).integer_share or 0.0
    model = onnx.load(path)
    return integer_share(model, macs_by_node(model))


def time_rows(shop: Workshop, rows: Sequence[str]) -> dict[str, float]:
    """Median ms of one face on one thread; the rows take turns, so that the machine's moods meet them all alike."""
    batch = shop.batch[:1]
    sessions = {row: opened(shop, row) for row in rows}
    times = {row: RunTimes() for row in rows}
    for turn in tqdm(range(ROUNDS + 1), desc="latency", disable=None):
        for row, session in sessions.items():
            for _ in range(RUNS):
                if turn:
                    times[row].run(partial(session.run, batch))
                else:  # the first turn warms up
                    session.run(batch)
    return {row: taken.percentiles_ms(50)[0] for row, taken in times.items()}


def table(document: dict[str, Any]) -> str:
    head = "| row | mean F1 | drop, float thresholds | drop, refitted [95 %] | worst AU | flips | MACs in INT8 | size | p50 ms |"
    lines = [head, "|---|" + "---:|" * 8]
    for row in document["rows"]:
        low, high = row["drop_interval"]
        latency = "-" if row["latency_p50_ms"] is None else f"{row['latency_p50_ms']:.1f}"
        name = row["name"] if row["by"] == "edgeau" else f"**{row['name']}** (its default)"
        lines.append(
            f"| {name} | {row['f1_mean']:.4f} | {row['drop_as_made']:+.4f} | {row['drop']:+.4f} [{low:+.4f} {high:+.4f}] "
            f"| {row['drop_worst']:+.4f} | {row['flips']:.2%} | {row['macs_int8']:.1%} | {row['size_ratio']:.3f} | {latency} |"
        )
    failed = [f"- {name}: {reason}" for name, reason in document["failed"].items()]
    measured_on = (
        f"{document['network']}; {document['faces']} test faces, thresholds from {document['fitted_on']} validation faces, "
        f"{document['calibrated_on']} calibration crops; {document['machine']}, {document['date']}, ONNX Runtime "
        f"{document['onnxruntime']}."
    )
    return "\n".join([*lines, "", measured_on, *failed])


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, body, argv)


def body(argv: Sequence[str] | None) -> int:
    options = parser().parse_args(argv)
    source = (
        CheckpointSource(options.checkpoint)
        if options.checkpoint
        else PackagedSource(load_bundle(packaged_bundle_path()))
    )
    shop = Workshop(options.work, source, options.data, options.crops, options.faces, options.peers_python)
    wanted = options.rows.split(",") if options.rows else [*RECIPES, WITHIN, *PEERS]
    done: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for row in [FLOAT, *wanted]:
        try:
            done.append(measured(shop, row))
        except EdgeauError as error:
            failed[row] = str(error)
        document = finished(shop, done, failed)
    if options.latency:
        for name, latency in time_rows(shop, [row["name"] for row in done]).items():
            next(row for row in done if row["name"] == name)["latency_p50_ms"] = latency
        document = finished(shop, done, failed)
    if options.write is not None:
        write_part(options.write, f"int8_front {source.description.network.name}", table(document))
    print_json(document) if options.json else print(table(document))
    return PARTLY if failed else DONE


def finished(shop: Workshop, rows: list[dict[str, Any]], failed: dict[str, str]) -> dict[str, Any]:
    """The document so far; it also stands in the work folder."""
    document = {
        "network": shop.source.description.network.title,
        "training": shop.source.description.network.training,
        "key": shop.key,
        "faces": len(shop.split("test")),
        "fitted_on": len(shop.split("val")),
        "calibrated_on": len(shop.calibration),
        "machine": machine_name(),
        "date": today(),
        "onnxruntime": version("onnxruntime"),
        "rows": rows,
        "failed": failed,
    }
    write_whole(shop.folder / "int8_front.json", (json.dumps(document, indent=1) + "\n").encode())
    write_whole(shop.folder / "int8_front.md", (table(document) + "\n").encode())
    return document


def parser() -> CommandParser:
    made = CommandParser(
        f"python {NAME}",
        "INT8 recipes of edgeau and other tools' defaults on one network: F1 drop, integer share, size, latency.",
        f"python {NAME} --data data/synth --work front --faces 4000 --peers-python peers/bin/python --latency",
    )
    made.add_argument("--data", type=Path, required=True, metavar="DIR", help="what edgeau-synth wrote")
    made.add_argument(
        "--work", type=Path, required=True, metavar="DIR", help="keeps what was made and answered"
    )
    made.add_argument("--checkpoint", type=Path, metavar="FILE", help="without it the packaged default")
    made.add_argument("--faces", type=int, default=4000, help="of the test split (default %(default)s)")
    made.add_argument("--crops", type=int, default=128, help="to calibrate on (default %(default)s)")
    made.add_argument("--peers-python", type=Path, metavar="PYTHON", help="has the other tools")
    made.add_argument("--rows", metavar="LIST", help=f"of {', '.join((*RECIPES, WITHIN, *PEERS))}")
    made.add_argument("--latency", action="store_true", help="time the rows at the end, in turns, one thread")
    made.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    made.add_json()
    return made


if __name__ == "__main__":
    sys.exit(main())
