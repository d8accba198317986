"""The four papers' own questions, asked again in kind: small networks on rendered faces, equal budgets, several seeds.

    python benchmarks/study.py --data faces/ --out runs/study [--only mrp-ce ...] [--seeds 3] [--steps 400]
        [--precision bf16-mixed] [--write docs/systems.md]

A run that is there is not made again, and a broken one goes on, so the command may be stopped at any time; questions whose runs are
all there stand in the table, and keep their place in ``benchmarks/results/study.json`` when others are measured on another day. Each run
is trained on the training split, its thresholds are fitted on the validation split, and decisions are measured on the test split, at .5
and at the fitted thresholds. The figure is the mean F1 over AUs; a difference is the mean over seeds, with the 95 % interval of a paired
bootstrap over persons (1,000 resamples: both sides see the same persons). A difference whose interval holds 0 tells nothing, whatever its
sign. The AUC of both sides beside it tells how much was learned at all. No auxiliary heads: the loss under test is the whole loss.
"""

from __future__ import annotations

import json
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from learning import RECIPES, part_of
from numpy.typing import NDArray
from page_part import write_part
from this_machine import machine_name, today

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.action_units.names import DEFAULT
from edgeau.metrics import RankedScores, bootstrap_weights, percentile_interval
from edgeau_apps.report.published_tables import score_tables
from edgeau_training.datasets.synthetic import SyntheticFaces, list_shards
from edgeau_training.datasets.synthetic_crops import SyntheticCrops
from edgeau_training.evaluation.predictions import Predictions, load_predictions, save_predictions
from edgeau_training.evaluation.report import write_document
from edgeau_training.trainer.recipe import PRECISIONS, Recipe, read_recipe
from edgeau_training.trainer.run import STATE, Run
from edgeau_training.trainer.run_options import RunOptions
from edgeau_training.trainer.validation import thresholds_by

PART = "python benchmarks/study.py"
ANSWERS = "answers.npz"
RESULT = "result.json"
PLOT = "benchmarks/study.svg"  # beside the page
RESULTS = Path(__file__).parent / "results" / "study.json"


@dataclass(frozen=True)
class Variant:
    """One way to train: a small recipe of ``benchmarks/learning`` and what differs from it."""

    recipe: str
    loss: Mapping[str, Any]
    network: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    sampler: Mapping[str, Any] | None = None

    def made(self, seed: int, steps: int | None, precision: str = "32-true") -> Recipe:
        base = read_recipe(RECIPES / f"{self.recipe}.toml")
        stages = base.stages if steps is None else [replace(one, steps=steps) for one in base.stages]
        return replace(
            base,
            network=self.network or base.network,
            options={**base.options, **self.options},
            loss=dict(self.loss),
            sampler=base.sampler if self.sampler is None else dict(self.sampler),
            auxiliary={},
            stages=tuple(stages),
            seed=seed,
            precision=precision,
        )


_UNIFORM = {"name": "uniform"}
_USTC = {"lanets": 5, "reduction": 16, "neighbours": 4}
VARIANTS = {
    "mrp-gap": Variant("mrpnet", {"name": "cross-entropy"}, options={"mrp_variant": "gap"}),
    "mrp-ce": Variant("mrpnet", {"name": "cross-entropy"}),
    "mrp-dce": Variant("mrpnet", {"name": "cross-entropy-dice"}),
    "mrp-focal": Variant("mrpnet", {"name": "focal"}),
    "mrp-bbl": Variant("mrpnet", {"name": "bbl", "mode": "swap"}),
    "drml": Variant("drml", {"name": "drml"}),
    "drml-convnet": Variant("drml", {"name": "drml"}, network="drml-convnet"),
    "drml-lcn": Variant("drml", {"name": "drml"}, network="drml-lcn"),
    "siat": Variant("siat", {"name": "mean-cross-entropy"}, sampler=_UNIFORM),
    "siat-mlros": Variant("siat", {"name": "mean-cross-entropy"}),
    "siat-selective": Variant("siat", {"name": "selective"}),
    "ustc-backbone": Variant("ustc", {"name": "mean-cross-entropy"}, network="ustc-backbone"),
    "ustc-circle": Variant("ustc", {"name": "circle"}, network="ustc-backbone"),
    "ustc-relations": Variant("ustc", {"name": "circle"}, network="ustc-relations", options={"lanets": 0}),
    "ustc-perception": Variant("ustc", {"name": "circle"}, network="ustc-relations"),
    "ustc-fixed": Variant("ustc", {"name": "circle"}),
    "ustc-attn": Variant("ustc", {"name": "circle"}, network="ustc-attn"),
}


@dataclass(frozen=True)
class Question:
    """A question of one paper.

    Attributes:
        system: whose.
        title: of ``ours`` against ``other``.
        ours: ``variant``, or ``variant@fitted`` and ``variant@half`` where thresholds are the question, or ``variant@vote``: the seeds'
            models vote, or ``variant@pairs``: the logits of two seeds are averaged.
        other: likewise.
        paper: ``(table, row of ours, row of other)`` of the published tables; None where the paper prints no such pair.
    """

    system: str
    title: str
    ours: str
    other: str
    paper: tuple[str, str, str] | None = None


_MRP, _SIAT, _FF = "f1-mrpnet-ablation", "scores-siat", "f1-ustc-ablation"
QUESTIONS = (
    Question("MRP-Net", "regions against global pooling", "mrp-ce", "mrp-gap", (_MRP, "EF+MRP+CE", "EF+CE")),
    Question("MRP-Net", "DCE (a guess) against CE", "mrp-dce", "mrp-ce", (_MRP, "EF+MRP+DCE", "EF+MRP+CE")),
    Question("MRP-Net", "focal against CE", "mrp-focal", "mrp-ce", (_MRP, "EF+MRP+FL", "EF+MRP+CE")),
    Question("MRP-Net", "BBL against CE", "mrp-bbl", "mrp-ce", (_MRP, "EF+MRP+BBL", "EF+MRP+CE")),
    Question("MRP-Net", "BBL against focal", "mrp-bbl", "mrp-focal", (_MRP, "EF+MRP+BBL", "EF+MRP+FL")),
    Question("DRML", "region layer against convolution", "drml", "drml-convnet"),
    Question("DRML", "region layer against locally connected", "drml", "drml-lcn"),
    Question(
        "SIAT-NTU",
        "MLROS and selective learning against neither",
        "siat-selective",
        "siat",
        (_SIAT, "+ align + balancing", "+ align"),
    ),
    Question("SIAT-NTU", "MLROS against uniform sampling", "siat-mlros", "siat"),
    Question(
        "SIAT-NTU",
        "two networks averaged against one (views without their pretraining)",
        "siat-selective@pairs",
        "siat-selective",
        (_SIAT, "F_face + F_emotion", "F_emotion"),
    ),
    Question("SIAT-NTU", "soft thresholds against .5", "siat-selective@fitted", "siat-selective@half"),
    Question(
        "USTC", "circle loss against BCE", "ustc-circle", "ustc-backbone", (_FF, "+ circle loss", "baseline")
    ),
    Question(
        "USTC", "relations against none", "ustc-relations", "ustc-circle", (_FF, "+ MIL", "+ Glint360K")
    ),
    Question(
        "USTC", "local regions against none", "ustc-perception", "ustc-relations", (_FF, "+ LRP", "+ MIL")
    ),
    Question("USTC", "feature fusion against none", "ustc-fixed", "ustc-perception", (_FF, "+ FF", "+ LRP")),
    Question("USTC", "attention against a fixed share", "ustc-attn", "ustc-fixed"),
    Question("USTC", "vote of the seeds against one", "ustc-fixed@vote", "ustc-fixed"),
)


def learn(recipe: Recipe, data: Path, test: SyntheticFaces, out: Path) -> None:
    """One run, unless it is there: answers to validation and test faces, and what it cost."""
    if (out / RESULT).is_file():
        return
    started = time.process_time()
    one = Run(recipe, data, out, RunOptions(resume=(out / STATE).is_file()))
    one.finish()
    trainee = one.trainee
    crops = SyntheticCrops(test, arcface=trainee.framing.arcface)
    last = recipe.stages[-1]
    view = trainee.framing.view_of(last.pixels, last.field)  # the size that it was trained on
    validation = trainee.data.validation
    answers = {
        "validation": trainee.predict(validation, np.arange(len(validation)), view),
        "test": trainee.predict(crops, np.arange(len(crops)), view),
    }
    save_predictions(out / ANSWERS, answers)
    write_document(
        out / RESULT,
        {
            "steps": one.place.step,
            "pictures": one.place.step * last.batch,
            "cpu_minutes": round((time.process_time() - started) / 60, 2),
            "machine": f"{machine_name()}, {torch.get_num_threads()} thread, {recipe.precision}",
            "date": today(),
        },
    )


def decisions(side: str, out: Path, seeds: int, how: str) -> list[Predictions]:
    """Each seed's answers to the test faces, with thresholds: those of ``side`` where it names them, else ``how``.

    Args:
        side: of a question.
        out: folder of the runs.
        seeds: how many.
        how: ``half`` or ``fitted``.
    """
    name, _, told = side.partition("@")
    tables = []
    for seed in range(seeds):
        answers = load_predictions(out / f"{name}-{seed}" / ANSWERS)
        if told == "pairs":
            second = load_predictions(out / f"{name}-{(seed + 1) % seeds}" / ANSWERS)
            answers = {
                part: replace(one, logits=(one.logits + second[part].logits) / 2)
                for part, one in answers.items()
            }
        test = answers["test"]
        fitted = (told if told in ("half", "fitted") else how) == "fitted"
        limits = thresholds_by("f1", answers["validation"]) if fitted else np.full(len(test.labels), 0.5)
        tables.append(test.with_thresholds(limits))
    if told != "vote":
        return tables
    votes = np.mean([table.decisions for table in tables], axis=0) > 0.5
    logits = np.where(votes, 1.0, -1.0).astype(np.float32)
    return [replace(tables[0], logits=logits, thresholds=np.full(len(tables[0].labels), 0.5))]


def mean_f1(tables: Sequence[Predictions], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean F1 over AUs that occur, and over the tables, for each row of weights of the faces: ``(B,)``."""
    each = []
    for table in tables:
        truth, decided = table.truth == 1, table.decisions
        hits, wrong, missed = (
            weights @ part.astype(np.float64)
            for part in (decided & truth, decided & ~truth, ~decided & truth)
        )
        occurs = truth.any(axis=0)
        f1 = 2 * hits / np.maximum(2 * hits + wrong + missed, 1e-9)
        each.append(f1[:, occurs].mean(axis=1))
    return np.asarray(np.mean(each, axis=0))


@dataclass(frozen=True)
class Difference:
    """F1 of one side minus F1 of the other, in points of F1 (0..100), with its 95 % interval."""

    value: float
    low: float
    high: float


def difference(ours: Sequence[Predictions], other: Sequence[Predictions], seed: int = 0) -> Difference:
    """Paired over persons."""
    table = ours[0]
    weights = bootstrap_weights(len(table.logits), 1000, table.groups, seed)
    whole = np.ones((1, len(table.logits)))
    value = float(mean_f1(ours, whole)[0] - mean_f1(other, whole)[0])
    low, high = percentile_interval(mean_f1(ours, weights) - mean_f1(other, weights))
    return Difference(100 * value, 100 * float(low), 100 * float(high))


def published(question: Question) -> float | None:
    """The paper's difference in points of F1; None where it prints none."""
    if question.paper is None:
        return None
    name, ours, other = question.paper
    table = score_tables()[name]
    column = table.columns.index("F1") if "F1" in table.columns else None
    rows = {row.method: row.mean if column is None else row.values[column] for row in table.row}
    scale = 100.0 if table.unit == "share" else 1.0
    first, second = rows[ours], rows[other]
    return None if first is None or second is None else scale * (first - second)


def verdict(found: Difference, paper: float | None) -> str:
    """Say whether the study agrees with the paper."""
    if found.low <= 0 <= found.high:
        return "cannot tell"
    if paper is None:
        return "better" if found.value > 0 else "worse"
    return "agrees" if (found.value > 0) == (paper > 0) else "disagrees"


def mean_auc(tables: Sequence[Predictions]) -> float:
    """Area under the ROC curve, the mean over AUs that occur and over the tables: .5 has learned nothing."""
    each = [
        RankedScores(table.logits[:, column], table.truth[:, column] == 1).auc()
        for table in tables
        for column in np.flatnonzero(table.truth.any(axis=0))
    ]
    return float(np.mean(each))


def measured(out: Path, seeds: int) -> dict[str, dict[str, Any]]:
    """The questions whose runs are there, by their titles: plain values for the results file."""
    rows = {}
    for question in QUESTIONS:
        sides = {side.partition("@")[0] for side in (question.ours, question.other)}
        runs = [out / f"{name}-{seed}" / RESULT for name in sorted(sides) for seed in range(seeds)]
        if not all(path.is_file() for path in runs):
            continue
        answers = {
            how: [decisions(side, out, seeds, how) for side in (question.ours, question.other)]
            for how in ("half", "fitted")
        }
        costs = [json.loads(path.read_text("utf-8")) for path in runs]
        rows[question.title] = {
            **{how: vars(difference(*sides)) for how, sides in answers.items()},
            "auc": [
                None if side.endswith("@vote") else round(mean_auc(table), 3)  # votes rank nothing
                for side, table in zip((question.ours, question.other), answers["half"], strict=True)
            ],
            "pictures": max(cost["pictures"] for cost in costs),
            "seeds": seeds,
            "cpu_minutes": round(sum(cost["cpu_minutes"] for cost in costs), 1),
            "machine": costs[0]["machine"],
            "date": max(cost["date"] for cost in costs),
        }
    return rows


def as_markdown(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of the measured questions, in the order of :data:`QUESTIONS`."""
    lines = [
        "| system | question | AUC, both sides | difference in F1 at .5 | at fitted thresholds | the paper's | at fitted thresholds, the study | cost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for question in QUESTIONS:
        row = rows.get(question.title)
        if row is None:
            continue
        half, fitted = (Difference(**row[how]) for how in ("half", "fitted"))
        cells = [f"{one.value:+.1f} ({one.low:+.1f} to {one.high:+.1f})" for one in (half, fitted)]
        if question.ours.endswith("@fitted"):
            cells[1] = "-"  # thresholds themselves are the question
        paper = published(question)
        printed = "not printed" if paper is None else f"{paper:+.1f}"
        auc = " and ".join("-" if one is None else f"{one:.2f}".removeprefix("0") for one in row["auc"])
        cost = f"{row['seeds']} x {row['pictures']:,} pictures a side, {row['cpu_minutes']:.0f} CPU minutes, {row['date']}"
        lines.append(
            f"| {question.system} | {question.title} | {auc} | {' | '.join(cells)} | {printed} | {verdict(fitted, paper)} | {cost} |"
        )
    left = len(QUESTIONS) - len(lines) + 2
    machines = "; ".join(sorted({f"{row['machine']}" for row in rows.values()}))
    said = (
        f"{left} of {len(QUESTIONS)} questions are not measured yet."
        if left
        else "Every question is measured."
    )
    return "\n".join([*lines, "", f"{said} {machines}".strip()])


def plot(rows: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Each measured question's difference with its interval, at fitted thresholds and at .5, beside the paper's."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "study"
    from matplotlib import pyplot as plt

    asked = [one for one in QUESTIONS if one.title in rows][::-1]
    figure, axis = plt.subplots(figsize=(9, 1.2 + 0.42 * len(asked)), layout="constrained")
    kinds = (("fitted", "fitted thresholds", "o", 0.12), ("half", "threshold .5", "s", -0.12))
    for how, label, marker, shift in kinds:
        found = [Difference(**rows[one.title][how]) for one in asked]
        values = np.array([one.value for one in found])
        reach = np.array([(one.value - one.low, one.high - one.value) for one in found]).T
        places = np.arange(len(asked)) + shift
        axis.errorbar(
            values, places, xerr=np.maximum(reach, 0), fmt=marker, markersize=4, capsize=2, label=label
        )
    printed = [(paper, place) for place, one in enumerate(asked) if (paper := published(one)) is not None]
    axis.plot(
        [paper for paper, _ in printed],
        [place for _, place in printed],
        "D",
        color="0.4",
        fillstyle="none",
        label="the paper's",
    )
    axis.axvline(0, color="0.5", linewidth=1)
    axis.set_yticks(np.arange(len(asked)), [textwrap.fill(f"{one.system}: {one.title}", 46) for one in asked])
    axis.set_xlabel("difference in mean F1, points")
    axis.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=3)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser("study.py", "The four papers' own questions, in kind, on rendered faces.",
                           "python benchmarks/study.py --data faces/ --out runs/study")  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what edgeau-synth wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the runs")
    parser.add_argument(
        "--only", nargs="*", choices=tuple(VARIANTS), help="some of the runs; none: the table alone"
    )
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="runs of each (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="instead of those of the recipes")
    parser.add_argument(
        "--precision",
        default="32-true",
        choices=PRECISIONS,
        help="arithmetic of the training, the same for both sides of a question (default: %(default)s)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="FILE",
        help="what was measured, by question; rows measured now take the place of earlier ones (default: %(default)s)",
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the table into a page, and its plot beside it"
    )
    parser.add_json()
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    data = part_of(options.data, options.out / "faces")
    test = SyntheticFaces.read(options.data, "test", DEFAULT, list_shards(options.data, "test"))
    wanted = list(VARIANTS) if options.only is None else options.only
    for seed in range(options.seeds):  # every variant once before any twice
        for name in wanted:
            learn(
                VARIANTS[name].made(seed, options.steps, options.precision),
                data,
                test,
                options.out / f"{name}-{seed}",
            )
    earlier = json.loads(options.results.read_text("utf-8")) if options.results.is_file() else {}
    rows = earlier | measured(options.out, options.seeds)
    write_document(options.results, rows)
    if options.json:
        print_json(rows)
    elif options.write:
        picture = options.write.parent / PLOT
        plot(rows, picture)
        write_part(options.write, PART, f"{as_markdown(rows)}\n\n![Differences with their intervals]({PLOT})")
    else:
        print(as_markdown(rows))
    return DONE


if __name__ == "__main__":
    sys.exit(run("study.py", _body))
