"""The same network in every engine and precision, on the same faces: how far apart the answers are.

    python benchmarks/parity_matrix.py BUNDLE [--checkpoint FILE] [--faces DIR|FILE] [--count 64]
        [--boards build/arm/raspberrypi4.json build/arm/raspberrypi5.json] --out out/

Rows are torch (with ``--checkpoint``), the bundle's artifacts that run on this machine, and the TFLite precisions that the
bundle leaves out, written here from its ONNX files. Every row is compared with the float ONNX file, and every row with every
other. With ``--boards`` the same follows on the bundle's golden crops, beside what other processors answered there:
``tests/arm/guest.py`` writes such a file on a board, and ``tests.arm.proof`` one for each emulated board.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from left_out import FLOAT, tflite_files

from edgeau.backends import open_session
from edgeau.bundle import Bundle, load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.preprocessing import Preprocessor
from edgeau_calibration.load import load_calibration_set
from edgeau_calibration.measure import difference

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
    """What the network itself says."""
    import torch

    from edgeau_training.checkpoint import load_checkpoint

    network, _ = load_checkpoint(checkpoint)
    with torch.inference_mode():
        logits = [network.eval()(torch.from_numpy(crop[None])).numpy() for crop in batch]
    return {f"torch ({torch.__version__})": np.concatenate(logits)}


def board_answers(file: Path) -> Answers:
    """Logits of another processor on the first golden crops, from what ``tests/arm/guest.py`` wrote there."""
    artifacts = json.loads(file.read_text(encoding="utf-8"))["artifacts"]
    return {
        f"{file.stem}: {name} ({_version(answer['engine'])})": np.array(answer["logits"], np.float32)
        for name, answer in artifacts.items()
        if "fault" not in answer
    }


def _version(engine: str) -> str:
    """Package and version out of ``litert ai-edge-litert 2.3.0 (XNNPACK, 1 thread)``."""
    return engine.partition(" ")[2].partition(" (")[0]


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


def pages(found: Mapping[str, object]) -> str:
    """Markdown: against the reference, then everything against everything."""
    compared_rows = found["rows"]
    between = found["flips"]
    assert isinstance(compared_rows, list)
    assert isinstance(between, dict)
    lines = [f"{found['faces']}; {found['decisions']} decisions; reference: {found['reference']}", ""]
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


def report(bundle: Bundle, rows: Answers, faces: str) -> dict[str, object]:
    """Everything about some rows that answered the same crops."""
    reference = next(name for name in rows if name.startswith(FLOAT))
    float_artifact = next(item for item in bundle.manifest.artifacts if item.file == FLOAT)
    thresholds = np.array([float_artifact.thresholds[label] for label in bundle.manifest.labels], np.float32)
    return {
        "machine": platform.machine(),
        "faces": f"{len(rows[reference])} crops, {faces}",
        "decisions": rows[reference].size,
        "reference": reference,
        "rows": compared(rows, reference, thresholds),
        "flips": flips_between(rows, thresholds),
    }


def here(bundle: Bundle, checkpoint: Path | None, crops: np.ndarray) -> Answers:
    """Rows of this machine, torch first."""
    batch = Preprocessor(bundle.manifest.input).batch(crops).copy()
    rows = torch_answers(checkpoint, batch) if checkpoint else {}
    return rows | answers(bundle, batch)


def beside_boards(bundle: Bundle, checkpoint: Path | None, boards: Sequence[Path]) -> dict[str, object]:
    """The report on the golden crops that all boards answered."""
    found: Answers = {}
    for file in boards:
        found |= board_answers(file)
    count = min(len(logits) for logits in found.values())
    crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:count]
    rows = here(bundle, checkpoint, crops) | {name: logits[:count] for name, logits in found.items()}
    return report(bundle, rows, "golden ones of the bundle")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--faces", type=Path, help="as edgeau-export --calib; default: the packaged crops")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--boards", type=Path, nargs="+", default=[], help="answers of other processors")
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    faces = load_calibration_set(arguments.faces, bundle.manifest.alignment, arguments.count)
    rows = here(bundle, arguments.checkpoint, faces.crops[: arguments.count])
    reports = [report(bundle, rows, faces.source)]
    if arguments.boards:
        reports.append(beside_boards(bundle, arguments.checkpoint, arguments.boards))
    text = "\n".join(pages(item) for item in reports)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "parity_matrix.json").write_text(json.dumps(reports, indent=2) + "\n", encoding="utf-8")
    (arguments.out / "parity_matrix.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
