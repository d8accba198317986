"""Each of the four systems, small, learns the rendered faces; and MRP-Net's losses on one budget.

    python benchmarks/learning.py --data faces/ --out runs/learning [--only mrpnet ...] [--write docs/systems-measured.md]

A run that is there is not made again, and a broken one goes on, so the command may be stopped at any time. The recipes are
in benchmarks/learning/. Thresholds are fitted on the validation split and F1 is measured on the test split, for each AU
against answering "present" always (its F1 is 2 p / (1 + p) at rate p) and never (0). With --json the figures, without
--write the tables.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from page_part import write_part
from this_machine import machine_name, today

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.metrics import macro_mean
from edgeau_training.datasets.synthetic import SyntheticFaces, list_shards
from edgeau_training.datasets.synthetic_crops import SyntheticCrops
from edgeau_training.evaluation.metrics import measure
from edgeau_training.evaluation.predictions import PREDICTIONS, load_predictions
from edgeau_training.evaluation.report import write_document
from edgeau_training.trainer.recipe import Recipe, read_recipe
from edgeau_training.trainer.run import STATE, Run
from edgeau_training.trainer.run_options import RunOptions
from edgeau_training.trainer.validation import thresholds_by

RECIPES = Path(__file__).parent / "learning"
SYSTEMS = {"mrpnet": "MRP-Net", "drml": "DRML", "siat": "SIAT-NTU", "ustc": "USTC"}
LOSSES: dict[str, dict[str, Any]] = {
    "bbl": {"name": "bbl", "mode": "swap"},
    "bbl-literal": {"name": "bbl", "mode": "literal"},
    "cross-entropy": {"name": "cross-entropy"},
    "focal": {"name": "focal"},
}
TRAIN_SHARDS, TEST_SHARDS = 16, 4  # of 500 faces
PART = "python benchmarks/learning.py"


def recipes() -> dict[str, Recipe]:
    """Every run by name; MRP-Net's own run is the first of its losses."""
    systems = {name: read_recipe(RECIPES / f"{name}.toml") for name in SYSTEMS}
    others = {
        f"mrpnet-{name}": replace(systems["mrpnet"], loss=loss)
        for name, loss in LOSSES.items()
        if name != "bbl"
    }
    return {**systems, **others}


def part_of(data: Path, out: Path) -> Path:
    """A data set of the first training shards and all of validation, as links."""
    for split, count in (("train", TRAIN_SHARDS), ("val", None)):
        (out / split).mkdir(parents=True, exist_ok=True)
        for name in list_shards(data, split)[:count]:
            if not (out / split / name).exists():
                (out / split / name).symlink_to((data / split / name).resolve())
    if not (out / "dataset.json").exists():
        (out / "dataset.json").symlink_to((data / "dataset.json").resolve())
    return out


def learn(name: str, recipe: Recipe, data: Path, test: SyntheticFaces, out: Path) -> dict[str, Any]:
    """One run, or what it left; its figures."""
    result = out / "result.json"
    if result.is_file():
        return dict(json.loads(result.read_text("utf-8")))
    started = time.process_time()
    one = Run(recipe, data, out, RunOptions(resume=(out / STATE).is_file()))
    one.finish()
    trainee = one.trainee
    crops = SyntheticCrops(test, arcface=trainee.framing.arcface)
    last = recipe.stages[-1]
    view = trainee.framing.view_of(last.pixels, last.field)
    # At the size that it was trained on, which for MRP-Net is not the size of deployment.
    if view == trainee.framing.view:
        validation = load_predictions(out / PREDICTIONS)["validation"]
    else:
        validation = trainee.predict(trainee.data.validation, np.arange(len(trainee.data.validation)), view)
    predictions = trainee.predict(crops, np.arange(len(crops)), view)
    measured = measure(predictions.with_thresholds(thresholds_by("f1", validation)))
    rate = measured.positives / measured.labelled
    always = 2 * rate / (1 + rate)
    steps = [line for line in events(out) if line["event"] == "step"]
    document = {
        "run": name,
        "loss": dict(recipe.loss),
        "pixels": view.pixels,
        "parameters": sum(parameter.numel() for parameter in trainee.student.network.parameters()),
        "steps": one.place.step,
        "pictures": one.place.step * last.batch,
        "cpu_minutes": round((time.process_time() - started) / 60, 1),
        "first_loss": steps[0]["occurrence"],
        "last_loss": steps[-1]["occurrence"],
        "f1": round(macro_mean(measured.f1), 3),
        "always_positive": round(float(always.mean()), 3),
        "auc": round(macro_mean(measured.auc), 3),
        "above": [
            label for label, f1, base in zip(test.labels, measured.f1, always, strict=True) if f1 > base
        ],
        "per_au": {label: round(float(f1), 3) for label, f1 in zip(test.labels, measured.f1, strict=True)},
        "always_positive_per_au": {
            label: round(float(f1), 3) for label, f1 in zip(test.labels, always, strict=True)
        },
        "machine": f"{machine_name()}, {torch.get_num_threads()} thread",
        "date": today(),
    }
    write_document(result, document)
    return document


def events(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]


def tables(results: dict[str, dict[str, Any]]) -> str:
    total = len(next(iter(results.values()))["per_au"])
    lines = [
        f"| system | pixels | parameters | pictures | CPU minutes | loss, first 50 steps to last 50 | F1 | always present | AUC | AUs of {total} above both |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, title in SYSTEMS.items():
        if name in results:
            lines.append(f"| {title} (`{name}.toml`) | {_row(results[name], wide=True)} |")
    lines += [
        "",
        "| MRP-Net's loss | CPU minutes | loss, first 50 steps to last 50 | F1 | AUC | AUs above both |",
        "|---|---|---|---|---|---|",
    ]
    for loss in LOSSES:
        name = "mrpnet" if loss == "bbl" else f"mrpnet-{loss}"
        if name in results:
            lines.append(f"| {loss if loss != 'bbl' else 'bbl (swap)'} | {_row(results[name], wide=False)} |")
    first = next(iter(results.values()))
    lines += ["", f"{first['machine']}; {first['date']}."]
    return "\n".join(lines)


def _row(result: dict[str, Any], *, wide: bool) -> str:
    loss = f"{result['first_loss']:.2f} to {result['last_loss']:.2f}"
    f1, auc, above = f"{result['f1']:.3f}", f"{result['auc']:.3f}", str(len(result["above"]))
    if not wide:
        return " | ".join((f"{result['cpu_minutes']}", loss, f1, auc, above))
    sizes = (
        str(result["pixels"]),
        f"{result['parameters']:,}",
        f"{result['pictures']:,}",
        f"{result['cpu_minutes']}",
    )
    return " | ".join((*sizes, loss, f1, f"{result['always_positive']:.3f}", auc, above))


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser("learning.py", "Each of the four systems, small, learns the rendered faces.",
                           "python benchmarks/learning.py --data faces/ --out runs/learning")  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what edgeau-synth wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the runs")
    parser.add_argument("--only", nargs="+", choices=tuple(recipes()), help="some of the runs")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into a page")
    parser.add_json()
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    wanted = options.only or list(recipes())
    results = {}
    data = part_of(options.data, options.out / "faces")
    labels = read_recipe(RECIPES / "mrpnet.toml").labels
    test = SyntheticFaces.read(
        options.data, "test", labels or _default(), list_shards(options.data, "test")[:TEST_SHARDS]
    )
    for name in wanted:
        results[name] = learn(name, recipes()[name], data, test, options.out / name)
    if options.json:
        print_json(results)
    elif options.write:
        write_part(options.write, PART, tables(results))
    else:
        print(tables(results))
    return DONE


def _default() -> tuple[str, ...]:
    from edgeau.action_units.names import DEFAULT

    return DEFAULT


if __name__ == "__main__":
    sys.exit(run("learning.py", _body))
