"""The same network in every engine and precision, on the same faces: how far apart the answers are.

    python benchmarks/parity_matrix.py BUNDLE [--checkpoint FILE] [--faces DIR|FILE] [--count 64]
        [--boards build/arm-bookworm/raspberrypi4.json build/arm-bookworm/raspberrypi5.json] [--write PAGE] --out out/

Rows are torch (with ``--checkpoint``), the bundle's artifacts that run on this machine, and the TFLite precisions that the
bundle leaves out, written here from its ONNX files. Every row is compared with the float ONNX file, and every row with every
other. With ``--boards`` a second table has what other processors answered on the bundle's golden crops, beside the float ONNX
file and beside the same file here: ``tests/arm/guest.py`` writes such answers on a board, ``tests.arm.proof`` those of emulated
ones. ``--write`` puts the tables into a page, between the marks "begin: parity_matrix" and "end: parity_matrix".
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from left_out import FLOAT, tflite_files
from page_part import write_part
from this_machine import machine_name, today

from edgeau.bundle import Bundle, load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.runtimes import open_session
from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.data.load import load_calibration_set
from edgeau_export.converters.parity import difference

Answers = dict[str, np.ndarray]


def answers(bundle: Bundle, batch: np.ndarray) -> Answers:
    """Logits ``(n, C)`` of every row that this machine can run."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, runtime, file in (*_artifacts(bundle), *tflite_files(bundle, Path(folder))):
            with open_session(runtime, file, threads=1) as session:
                found[f"{name} ({session.describe().version})"] = session.run(batch)
                print(f"{name}: done", flush=True)
    return found


def _artifacts(bundle: Bundle) -> Iterator[tuple[str, str, Path]]:
    for artifact in bundle.manifest.artifacts:
        if artifact.runtime in ("onnxruntime", "litert"):
            yield artifact.file, artifact.runtime, bundle.path(artifact.file)


def torch_answers(checkpoint: Path, batch: np.ndarray) -> Answers:
    """Run the network itself."""
    import torch

    from edgeau_training.checkpoint import load_checkpoint

    network, _ = load_checkpoint(checkpoint)
    with torch.inference_mode():
        logits = [network.eval()(torch.from_numpy(crop[None])).numpy() for crop in batch]
    return {f"torch ({torch.__version__})": np.concatenate(logits)}


def board_answers(file: Path) -> Answers:
    """Logits of another processor on the first golden crops by artifact, from what ``tests/arm/guest.py`` wrote there."""
    artifacts = json.loads(file.read_text(encoding="utf-8"))["artifacts"]
    return {
        name: np.array(answer["logits"], np.float32)
        for name, answer in artifacts.items()
        if "fault" not in answer
    }


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


def matrix_table(found: Mapping[str, Any]) -> str:
    """Markdown: against the reference, then everything against everything."""
    lines = [f"{found['faces']}, {found['decisions']} decisions; reference: {found['reference']}.", ""]
    lines += ["| row | max logit | mean logit | flips % | SNR dB |", "|---|---|---|---|---|"]
    for row in found["rows"]:
        lines.append(
            f"| {row['row']} | {row['max_abs_logit']:.2g} | {row['mean_abs_logit']:.2g} "
            f"| {row['flips'] * 100:.2f} | {'' if row['snr_db'] is None else row['snr_db']} |"
        )
    numbers = [str(number) for number in range(1, len(found["flips"]) + 1)]
    lines += ["", "Decisions that differ, %:", "", f"| | row | {' | '.join(numbers)} |"]
    lines.append("|---" * (len(numbers) + 2) + "|")
    for number, (name, row) in zip(numbers, found["flips"].items(), strict=True):
        shares = " | ".join(f"{share * 100:.2f}" for share in row.values())
        lines.append(f"| {number} | {name} | {shares} |")
    return "\n".join(lines)


def boards_table(found: Mapping[str, Any]) -> str:
    """Markdown: every artifact on every board, against the reference and against itself on this machine."""
    lines = [f"{found['faces']}, {found['decisions']} decisions a row; 'here' is {found['machine']}.", ""]
    lines += [
        "| board | artifact | max logit from float here | flips % | max logit from the same file here | flips % |",
        "|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        lines.append(
            f"| {row['board']} | {row['artifact']} | {row['reference']['max_abs_logit']:.2g} "
            f"| {row['reference']['flips'] * 100:.2f} | {row['same']['max_abs_logit']:.2g} | {row['same']['flips'] * 100:.2f} |"
        )
    return "\n".join(lines)


def matrix(bundle: Bundle, checkpoint: Path | None, faces: CalibrationSet) -> dict[str, Any]:
    """All rows of this machine, torch first."""
    batch = Preprocessor(bundle.manifest.input).batch(faces.crops).copy()
    rows = (torch_answers(checkpoint, batch) if checkpoint else {}) | answers(bundle, batch)
    reference = next(name for name in rows if name.startswith(FLOAT))
    thresholds = float_thresholds(bundle)
    return {
        "faces": f"{len(batch)} crops of {faces.source}",
        "decisions": rows[reference].size,
        "reference": reference,
        "rows": compared(rows, reference, thresholds),
        "flips": flips_between(rows, thresholds),
    }


def boards(bundle: Bundle, files: Sequence[Path]) -> dict[str, Any]:
    """Answers of other processors beside this one's, on the golden crops that all of them saw."""
    found = {file.stem: board_answers(file) for file in files}
    count = min(len(logits) for artifacts in found.values() for logits in artifacts.values())
    crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:count]
    batch = Preprocessor(bundle.manifest.input).batch(crops).copy()
    here: Answers = {}
    for name, runtime, file in _artifacts(bundle):
        with open_session(runtime, file, threads=1) as session:
            here[name] = session.run(batch)
    thresholds = float_thresholds(bundle)
    rows = [
        {
            "board": board,
            "artifact": name,
            "reference": _distance(here[FLOAT], logits[:count], thresholds),
            "same": _distance(here[name], logits[:count], thresholds),
        }
        for board, artifacts in found.items()
        for name, logits in artifacts.items()
    ]
    return {
        "machine": machine_name(),
        "faces": f"The bundle's first {count} golden crops",
        "decisions": here[FLOAT].size,
        "rows": rows,
    }


def _distance(one: np.ndarray, other: np.ndarray, thresholds: np.ndarray) -> dict[str, float]:
    found = difference(one, other, thresholds)
    return {"max_abs_logit": found.max_abs, "mean_abs_logit": found.mean_abs, "flips": found.flips}


def float_thresholds(bundle: Bundle) -> np.ndarray:
    """Thresholds of the float ONNX file, by which all rows decide here."""
    artifact = next(item for item in bundle.manifest.artifacts if item.file == FLOAT)
    return np.array([artifact.thresholds[label] for label in bundle.manifest.labels], np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--faces", type=Path, help="as edgeau-export --calib; default: the packaged crops")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--boards", type=Path, nargs="+", default=[], help="answers of other processors")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into a page")
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    faces = load_calibration_set(arguments.faces, bundle.manifest.alignment, arguments.count)
    found = {
        "machine": machine_name(),
        "date": today(),
        "matrix": matrix(bundle, arguments.checkpoint, faces),
        "boards": boards(bundle, arguments.boards) if arguments.boards else None,
    }
    parts = [f"{found['machine']}, {found['date']}.", matrix_table(found["matrix"])]
    parts += [boards_table(found["boards"])] if arguments.boards else []
    text = "\n\n".join(parts)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "parity_matrix.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (arguments.out / "parity_matrix.md").write_text(text + "\n", encoding="utf-8")
    if arguments.write:
        write_part(arguments.write, "parity_matrix", text)
    print(text)


if __name__ == "__main__":
    main()
