r"""One INT8 graph in nine runtimes: the INT8 of the packaged networks in every engine, simulator and compiler, on the same faces.

    python benchmarks/nine_places.py --faces DIR... --work DIR [--networks default,light] [--places PLACE,...] [--count 1000]
        [--slow-count 200] [--write docs/places.md]

``--faces`` are splits of ``edgeau-synth`` that nothing was trained or calibrated on (here those of ``edgeau-synth RIG --seed 2027 --count
1000 --val-count 600 --test-count 1000``). ``--work`` keeps the exported bundles, and
``benchmarks/results/nine-places.json`` the rows: what is not asked for with ``--places`` stays as it was measured last, with its date.
Every row is compared with the float ONNX file in ONNX Runtime on the same faces. Simulators and reference kernels are slow, so they see
``--slow-count`` faces, beside ONNX Runtime's INT8 on those. Compilers live in environments of their own
(``edgeau-export --make-tool NAME``); the row of a place whose tool is absent says so.

The browser's row is written by who runs the page in a browser: the key ``browser`` of a network, of the same form.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from page_part import write_part
from this_machine import machine_name, today

from edgeau.bundle import Bundle, load_bundle, packaged_bundle_path
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import EdgeauError, EngineError
from edgeau.runtimes import open_session
from edgeau_calibration.data.load import load_calibration_set
from edgeau_export.converters.parity import difference, run_artifact
from edgeau_export.export import export_bundle

RESULTS = Path(__file__).parent / "results" / "nine-places.json"
# Of ONNX Runtime's flips, wherever the runtime executes.
BAR = 1.5
_PIECE = 50

Answer = Callable[[Bundle, Artifact, NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Place:
    """A place that the graph runs in.

    Attributes:
        title: of its row.
        target: that is exported for it; None takes the packaged bundle.
        file: artifact.
        runtime: that runs it.
        slow: sees fewer faces.
        executes: False where a compiler only says what it would do, and something else answers for it.
    """

    title: str
    target: str | None
    file: str
    runtime: str
    slow: bool = False
    executes: bool = True


PLACES = {
    "onnxruntime": Place("ONNX Runtime", None, "model.int8.onnx", "onnxruntime"),
    "litert": Place("LiteRT", None, "model.int8.tflite", "litert"),
    "openvino": Place("OpenVINO", None, "model.int8.onnx", "openvino"),
    "tensorrt": Place("TensorRT's file in ONNX Runtime", "jetson-orin", "model.trt.int8.onnx", "tensorrt"),
    "browser": Place("browser, WebAssembly", None, "model.int8.tflite", "browser"),
    "rknn": Place("Rockchip RK3588, RKNN simulator", "rockchip", "model.rk3588.int8.rknn", "rknn", slow=True),
    "ethos-u55": Place(
        "Ethos-U55-256, Vela; reference kernels", "ethos-u", "model.ethos-u55-256.tflite", "ethos-u",
        slow=True, executes=False,
    ),
    "ethos-u85": Place(
        "Ethos-U85-256, Vela; reference kernels", "ethos-u", "model.ethos-u85-256.tflite", "ethos-u",
        slow=True, executes=False,
    ),
    "executorch": Place("ExecuTorch, XNNPACK", "executorch", "model.int8.pte", "executorch"),
    "cpp": Place("C++ example, OpenVINO", None, "model.int8.onnx", "cpp"),
}  # fmt: skip


def bundle_of(network: str, place: Place, work: Path) -> Bundle:
    """The packaged bundle, or one exported for the place's target and kept."""
    if place.target is None:
        return load_bundle(packaged_bundle_path(network))
    folder = work / f"{network}-{place.target}"
    if not folder.is_dir():
        print(f"exporting {network} for {place.target}", flush=True)
        export_bundle(place.target, folder, network, landmarks="none")
    return load_bundle(folder)


def artifact_of(bundle: Bundle, place: Place) -> Artifact:
    found = next((item for item in bundle.manifest.artifacts if item.file == place.file), None)
    if found is None:
        raise EngineError(bundle.manifest.left_out.get(place.file, f"the bundle has no {place.file}"))
    return found


def logits_in(
    place: Place, bundle: Bundle, artifact: Artifact, crops: NDArray[np.uint8], cpp: Path | None
) -> NDArray[np.float32]:
    """Logits ``(n, C)`` of crops, uint8 ``(n, H, W, 3)`` RGB."""
    if place.runtime == "cpp":
        return _cpp_logits(cpp, bundle, artifact, crops)
    preprocess = Preprocessor(bundle.manifest.input)
    if place.slow:
        return _simulated(bundle, artifact, crops)
    runtime = "onnxruntime" if place.runtime == "tensorrt" else place.runtime
    with open_session(runtime, bundle.path(artifact.file), threads=1) as session:
        pieces = (crops[start : start + _PIECE] for start in range(0, len(crops), _PIECE))
        return np.concatenate([session.run(preprocess.batch(piece)) for piece in pieces])


# By source: what two NPUs of a family are compiled from answers once.
_ANSWERED: dict[tuple[Path, int], NDArray[np.float32]] = {}


def _simulated(bundle: Bundle, artifact: Artifact, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    assert artifact.compiled is not None
    assert artifact.compiled.source is not None
    kept = (bundle.path(artifact.compiled.source), len(crops))
    if artifact.runtime == "ethos-u" and kept in _ANSWERED:
        return _ANSWERED[kept]
    batch = Preprocessor(bundle.manifest.input).batch(crops).copy()
    answered = run_artifact(
        artifact.runtime, bundle.path(artifact.file), batch, compiled=artifact.compiled
    ).values
    _ANSWERED[kept] = answered
    return answered


def _cpp_logits(
    program: Path | None, bundle: Bundle, artifact: Artifact, crops: NDArray[np.uint8]
) -> NDArray[np.float32]:
    if program is None or not program.is_file():
        raise EngineError("the C++ example is not built: see examples/cpp/README.md, and give --cpp PROGRAM")
    with tempfile.TemporaryDirectory() as name:
        given, answered = Path(name) / "crops.npy", Path(name) / "logits.npy"
        np.save(given, np.ascontiguousarray(crops))
        command = [
            program,
            bundle.directory,
            "--artifact",
            artifact.file,
            "--crops",
            given,
            "--out",
            answered,
        ]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineError(f"the C++ example ended with code {done.returncode}: {done.stderr.strip()}")
        logits: NDArray[np.float32] = np.load(answered)
        return logits


def thresholds_of(bundle: Bundle, artifact: Artifact) -> NDArray[np.float32]:
    return np.array([artifact.thresholds[label] for label in bundle.manifest.labels], np.float32)


class Reference:
    """Float and INT8 of the packaged bundle in ONNX Runtime, on all faces.

    Args:
        network: a packaged one.
        faces: splits of a data set.
        count: faces, the first of the first split first.
    """

    def __init__(self, network: str, faces: list[Path], count: int) -> None:
        bundle = load_bundle(packaged_bundle_path(network))
        alignment = bundle.manifest.alignment
        found = [load_calibration_set(folder, alignment, count).crops for folder in faces]
        self.crops = np.concatenate(found)[:count]
        floats = next(item for item in bundle.manifest.artifacts if item.precision == "fp32")
        self.thresholds = thresholds_of(bundle, floats)
        plain = Place("", None, floats.file, "onnxruntime")
        self.logits = logits_in(plain, bundle, floats, self.crops, None)
        int8 = artifact_of(bundle, PLACES["onnxruntime"])
        self.int8 = logits_in(PLACES["onnxruntime"], bundle, int8, self.crops, None)
        self.int8_thresholds = thresholds_of(bundle, int8)

    def compared(
        self, logits: NDArray[np.float32], thresholds: NDArray[np.float32], chosen: NDArray[np.intp]
    ) -> dict[str, Any]:
        """Distance of the logits of chosen faces from float, and ONNX Runtime's INT8 on the same faces."""
        found = difference(self.logits[chosen], logits, self.thresholds, thresholds)
        beside = difference(self.logits[chosen], self.int8[chosen], self.thresholds, self.int8_thresholds)
        near = difference(self.int8[chosen], logits, self.int8_thresholds, thresholds)
        return {
            "faces": len(chosen),
            "flips": found.flips,
            "max_logit": found.max_abs,
            "mean_logit": found.mean_abs,
            "onnxruntime_flips": beside.flips,
            "from_onnxruntime_flips": near.flips,
            "from_onnxruntime_mean_logit": near.mean_abs,
        }


def row_of(network: str, key: str, reference: Reference, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one place; what it cannot do is its row."""
    place = PLACES[key]
    row: dict[str, Any] = {"title": place.title, "date": today()}
    try:
        bundle = bundle_of(network, place, options.work)
        artifact = artifact_of(bundle, place)
        every = len(reference.crops)
        count = min(every, options.slow_count) if place.slow else every
        chosen = np.linspace(0, every - 1, count).astype(np.intp)
        began = time.process_time()
        logits = logits_in(place, bundle, artifact, reference.crops[chosen], options.cpp)
        row |= reference.compared(logits, thresholds_of(bundle, artifact), chosen)
        if place.runtime in ("onnxruntime", "litert", "openvino"):
            row["cpu_ms"] = 1000 * (time.process_time() - began) / count
        row["megabytes"] = artifact.bytes / 1e6
        row["executes"] = place.executes
        if artifact.compiled is not None:
            made = artifact.compiled
            row["compiled"] = {
                name: getattr(made, name) for name in _COMPILED if getattr(made, name) is not None
            }
        if key.startswith("ethos"):
            row["bit_equal"] = _bit_equal(bundle, artifact, reference.crops[chosen], logits)
    except EdgeauError as error:
        row["fault"] = str(error)
    return row


_COMPILED = (
    "compiler", "device", "operators", "on_accelerator", "sram_bytes", "flash_bytes", "cycles", "estimated_ms", "assumptions",
)  # fmt: skip


def _bit_equal(
    bundle: Bundle, artifact: Artifact, crops: NDArray[np.uint8], reference_kernels: NDArray[np.float32]
) -> float:
    """Share of the logits that LiteRT's usual kernels (XNNPACK) give bit for bit."""
    assert artifact.compiled is not None
    assert artifact.compiled.source is not None
    source = artifact.compiled.source
    usual = run_artifact("litert", bundle.path(source), Preprocessor(bundle.manifest.input).batch(crops))
    return float((usual.values == reference_kernels).mean())


def table(found: dict[str, Any]) -> str:
    """Markdown: one table a network."""
    lines = [f"{found['machine']}; {found['faces']}."]
    for network, rows in found["networks"].items():
        lines += ["", f"### {network}", ""]
        lines += [
            "| runtime or compiler | faces | flips | ONNX Runtime's flips on these faces | ratio | max, mean difference of a logit | MB | CPU ms per face | date |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            _line(rows.get(key, {"title": place.title, "fault": "not measured yet"}))
            for key, place in PLACES.items()
        ]
        lines += ["", *_compiled_lines(rows)]
    return "\n".join(lines).rstrip()


def _line(row: dict[str, Any]) -> str:
    if "fault" in row:
        return f"| {row['title']} | {row['fault']} | | | | | | | {row.get('date', '')} |"
    ratio = row["flips"] / row["onnxruntime_flips"] if row["onnxruntime_flips"] else float("nan")
    above = "" if ratio <= BAR or not row.get("executes", True) else f", above the limit of {BAR:g}"
    spent = f"{row['cpu_ms']:.1f}" if "cpu_ms" in row else ""
    return (
        f"| {row['title']} | {row['faces']} | {row['flips']:.2%} | {row['onnxruntime_flips']:.2%} | {ratio:.2f}{above} "
        f"| {row['max_logit']:.2f}, {row['mean_logit']:.3f} | {row['megabytes']:.1f} | {spent} | {row['date']} |"
    )


def _compiled_lines(rows: dict[str, Any]) -> list[str]:
    lines = []
    for row in rows.values():
        made = row.get("compiled", {})
        if "on_accelerator" not in made:
            continue
        share = made["on_accelerator"] / made["operators"]
        parts = [
            f"{made['on_accelerator']} of {made['operators']} operators on the accelerator ({share:.1%})"
        ]
        if "sram_bytes" in made:
            parts.append(
                f"{made['sram_bytes'] / 1024:.0f} KiB SRAM, {made['flash_bytes'] / 1024:.0f} KiB flash"
            )
        if "cycles" in made:
            parts.append(
                f"{made['cycles'] / 1e6:.1f} million cycles, {made['estimated_ms']:.1f} ms estimated ({made['assumptions']})"
            )
        if "bit_equal" in row:
            parts.append(
                f"{row['bit_equal']:.1%} of the logits are bit-identical to those of LiteRT's default kernels"
            )
        lines.append(f"- {row['title']} ({made['compiler']}): {'; '.join(parts)}.")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--faces", type=Path, nargs="+", required=True, metavar="DIR", help="splits of edgeau-synth"
    )
    parser.add_argument("--work", type=Path, required=True, help="exported bundles are kept here")
    parser.add_argument("--networks", default="default,light")
    parser.add_argument("--places", default=",".join(key for key in PLACES if key != "browser"))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--slow-count", type=int, default=200)
    parser.add_argument("--cpp", type=Path, help="the built C++ example")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into a page")
    options = parser.parse_args()
    found = json.loads(options.results.read_text("utf-8")) if options.results.is_file() else {"networks": {}}
    found["machine"] = machine_name()
    for network in options.networks.split(","):
        rows = found["networks"].setdefault(network, {})
        reference = Reference(network, options.faces, options.count)
        splits = " and ".join(folder.name for folder in options.faces)
        found["faces"] = (
            f"{len(reference.crops)} faces of edgeau-synth that were not used for training or calibration (split {splits})"
        )
        for key in options.places.split(","):
            rows[key] = row_of(network, key, reference, options)
            print(network, _line(rows[key]), flush=True)
            options.results.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if options.write:
        write_part(options.write, "nine_places", table(found))
    print(table(found))


if __name__ == "__main__":
    main()
