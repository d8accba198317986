"""The same network in every engine and precision, on the same faces: how far apart the answers are.

    python benchmarks/parity_matrix.py BUNDLE [--checkpoint FILE] [--faces DIR|FILE] [--count 64] --out out/

Rows are torch (with ``--checkpoint``), the bundle's artifacts that run on this machine, and the TFLite precisions that the
bundle leaves out, written here from its ONNX files. Every row is compared with the float ONNX file, and every row with every
other. ``--logits other.npz`` adds rows that another machine answered: arrays ``(n, C)`` by name, on the crops that
``--save inputs.npz`` wrote here.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx

from edgeau.backends import open_session
from edgeau.bundle import Bundle, load_bundle
from edgeau.preprocessing import Preprocessor
from edgeau_calibration.load import load_calibration_set
from edgeau_calibration.measure import difference
from edgeau_export.litert import PRECISIONS, tflite_bytes

Answers = dict[str, np.ndarray]

_REFERENCE = "model.fp32.onnx"
_QUANTIZED = "model.int8.onnx"


def answers(bundle: Bundle, batch: np.ndarray) -> Answers:
    """Logits ``(n, C)`` of every row that this machine can run."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, runtime, file in (*_artifacts(bundle), *_left_out(bundle, Path(folder))):
            with open_session(runtime, file, threads=1) as session:
                found[f"{name} ({session.describe().version})"] = session.run(batch)
                print(f"{name}: done", flush=True)
    return found


def _artifacts(bundle: Bundle) -> Iterator[tuple[str, str, Path]]:
    for artifact in bundle.manifest.artifacts:
        if artifact.runtime in ("onnxruntime", "litert"):
            yield artifact.file, artifact.runtime, bundle.path(artifact.file)


def _left_out(bundle: Bundle, folder: Path) -> Iterator[tuple[str, str, Path]]:
    """TFLite precisions that the bundle has no file of, made from its ONNX files."""
    present = {artifact.file for artifact in bundle.manifest.artifacts}
    for precision, kind in PRECISIONS.items():
        name, source = f"model.{precision}.tflite", _QUANTIZED if kind.quantized else _REFERENCE
        if name in present or source not in present:
            continue
        model = onnx.load(bundle.path(source))
        (folder / name).write_bytes(tflite_bytes(model, precision=precision, metadata={}))
        yield name, "litert", folder / name


def torch_answers(checkpoint: Path, batch: np.ndarray) -> Answers:
    """What the network itself says."""
    import torch

    from edgeau_training.checkpoint import load_checkpoint

    network, _ = load_checkpoint(checkpoint)
    with torch.inference_mode():
        logits = [network.eval()(torch.from_numpy(crop[None])).numpy() for crop in batch]
    return {f"torch ({torch.__version__})": np.concatenate(logits)}


def compared(rows: Answers, reference: str, thresholds: np.ndarray) -> list[dict[str, object]]:
    """Every row against the reference."""
    spread = rows[reference] - rows[reference].mean(axis=0)
    results = []
    for name, logits in rows.items():
        found = difference(rows[reference], logits, thresholds)
        noise = float(((logits - rows[reference]) ** 2).sum())
        decibel = round(10 * float(np.log10((spread**2).sum() / noise)), 1) if noise else None
        results.append(
            {
                "row": name,
                "max_abs_logit": found.max_abs,
                "mean_abs_logit": found.mean_abs,
                "flips": found.flips,
                "snr_db": decibel,
            }
        )
    return results


def flips_between(rows: Answers, thresholds: np.ndarray) -> dict[str, dict[str, float]]:
    """Share of decisions that differ, every row against every other."""
    return {
        left: {right: difference(a, b, thresholds).flips for right, b in rows.items()}
        for left, a in rows.items()
    }


def pages(report: Mapping[str, object]) -> str:
    """Markdown: against the reference, then everything against everything."""
    compared_rows = report["rows"]
    between = report["flips"]
    assert isinstance(compared_rows, list)
    assert isinstance(between, dict)
    lines = [f"{report['faces']}; {report['decisions']} decisions; reference: {report['reference']}", ""]
    lines += ["| row | max logit | mean logit | flips % | SNR dB |", "|---|---|---|---|---|"]
    for row in compared_rows:
        lines.append(
            f"| {row['row']} | {row['max_abs_logit']:.2g} | {row['mean_abs_logit']:.2g} "
            f"| {row['flips'] * 100:.2f} | {'' if row['snr_db'] is None else row['snr_db']} |"
        )
    numbers = [str(number) for number in range(1, len(between) + 1)]
    lines += ["", "Decisions that differ, %:", "", f"| | row | {' | '.join(numbers)} |"]
    lines.append("|---" * (len(between) + 2) + "|")
    for number, (name, row) in zip(numbers, between.items(), strict=True):
        shares = " | ".join(f"{share * 100:.2f}" for share in row.values())
        lines.append(f"| {number} | {name} | {shares} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--faces", type=Path, help="as edgeau-export --calib; default: the packaged crops")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--logits", type=Path, action="append", default=[], help="rows of another machine")
    parser.add_argument("--save", type=Path, help="write the normalised crops, for another machine")
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    faces = load_calibration_set(arguments.faces, bundle.manifest.alignment, arguments.count)
    batch = Preprocessor(bundle.manifest.input).batch(faces.crops[: arguments.count]).copy()
    if arguments.save:
        np.savez_compressed(arguments.save, batch=batch)
    rows = torch_answers(arguments.checkpoint, batch) if arguments.checkpoint else {}
    rows |= answers(bundle, batch)
    for file in arguments.logits:
        with np.load(file) as other:
            rows |= {name: other[name] for name in other.files}
    reference = next(name for name in rows if name.startswith(_REFERENCE))
    float_artifact = next(item for item in bundle.manifest.artifacts if item.file == _REFERENCE)
    thresholds = np.array([float_artifact.thresholds[label] for label in bundle.manifest.labels], np.float32)
    report = {
        "machine": platform.machine(),
        "faces": f"{len(batch)} crops, {faces.source}",
        "decisions": len(batch) * len(thresholds),
        "reference": reference,
        "rows": compared(rows, reference, thresholds),
        "flips": flips_between(rows, thresholds),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "parity_matrix.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (arguments.out / "parity_matrix.md").write_text(pages(report), encoding="utf-8")
    print(pages(report))


if __name__ == "__main__":
    main()
