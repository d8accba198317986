"""``python -m edgeau_training.evaluation.fusion_command``: fit the fusion on val, bound it by real faces, measure on test."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.command import DONE, CommandParser, positive, print_json, run
from edgeau._system.records import to_dict
from edgeau._system.text_table import aligned_lines
from edgeau.bundle import bundle_folder
from edgeau.errors import UsageError
from edgeau.metrics import macro_mean
from edgeau_training.evaluation.faces import open_faces
from edgeau_training.evaluation.fusion_fit import (
    FusionFit,
    FusionRule,
    fit_fusion,
    fused_predictions,
    mean_at_rest,
)
from edgeau_training.evaluation.metrics import fit_thresholds, intervals, matched_thresholds, measure
from edgeau_training.evaluation.predictions import Predictions, load_predictions, save_predictions
from edgeau_training.evaluation.real_face_bounds import (
    RealFaceRule,
    TriedBound,
    bounded_by_real_faces,
    shifted_fusion,
)
from edgeau_training.evaluation.report import model_document, model_table, write_document
from edgeau_training.evaluation.run import predict
from edgeau_training.evaluation.scorers import Scorer, open_scorer

__all__ = ["main"]

NAME = "python -m edgeau_training.evaluation.fusion_command"
_PARTS = ("landmark", "network", "fused")
_BOUND_HEAD = (
    "bound",
    "AUC, real",
    "recall, real",
    "alarms at rest",
    "most false positives",
    "F1, renders",
    "AUC, renders",
)
_OTHER = " on "  # between an artifact's file and a role, in the names of tables


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _fit, argv)


def _parser() -> CommandParser:
    parser = CommandParser(
        NAME,
        "Fit how network and landmark model are fused, on val, and measure landmark alone, network alone and fused on "
        "another split, each at thresholds fitted on val.",
        f"{NAME} checkpoint.safetensors landmark.npz --data synth/ --out fusion.json",
    )
    parser.add_argument(
        "network", help="checkpoint .safetensors, .onnx, or a bundle (default, light or a folder)"
    )
    parser.add_argument("landmark", type=Path, help="landmark model .npz")
    parser.add_argument("--data", type=Path, required=True, help="synthetic data set")
    parser.add_argument("--fit-on", default="val", metavar="SPLIT", help="default %(default)s")
    parser.add_argument("--measure-on", default="test", metavar="SPLIT", help="default %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N faces of each split")
    parser.add_argument("--artifact", help="of a bundle")
    parser.add_argument("--also", action="append", default=[], metavar="SEL",
                        help="another artifact of the bundle, which gets thresholds at which it calls as many faces as the first")  # fmt: skip
    parser.add_argument("--shares", type=float, nargs=2, default=FusionRule.shares, metavar=("LOW", "HIGH"),
                        help="bounds of the network's share (default %(default)s)")  # fmt: skip
    parser.add_argument("--real", type=Path, metavar="DIR",
                        help="labelled pictures of real faces, which bound the network's share and the thresholds")  # fmt: skip
    parser.add_argument("--margin", type=float, default=FusionRule.margin,
                        help="F1 by which the landmark model alone must be better to be used alone (default %(default)s)")  # fmt: skip
    parser.add_argument("--threads", type=positive, default=1, help="of the engine (default 1)")
    parser.add_argument("--keep", type=Path, metavar="NPZ",
                        help="file of both models' predictions; if it exists, they are read from it instead of running the models")  # fmt: skip
    parser.add_json()
    return parser


def _fit(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    rule = FusionRule(shares=(options.shares[0], options.shares[1]), margin=options.margin)
    answers = _answers(options)
    fit, bounds = _fitted(options, answers, rule)
    fit = replace(fit, fusion=replace(fit.fusion, rest=mean_at_rest(answers["network on fitted"])))
    tables = _three(fit, answers)
    others = {
        file: dict(zip(fit.fusion.bias, _own_thresholds(fit, answers, file).tolist(), strict=True))
        for file in _others(answers)
    }
    document = {"artifact_thresholds": others, "network": Path(options.network).name, "landmark": options.landmark.name, "data": options.data.name,
                "fitted_on": options.fit_on, "measured_on": options.measure_on,
                "real_faces": bounds, **_document(fit, rule, tables)}  # fmt: skip
    write_document(options.out, document)
    if options.json:
        print_json(document)
    else:
        print(_table(document), f"wrote {options.out}", sep="\n")
    return DONE


def _fitted(
    options: argparse.Namespace, answers: dict[str, Predictions], rule: FusionRule
) -> tuple[FusionFit, dict[str, Any] | None]:
    """The fit on renders, bounded by real faces where they are given; and what those did."""
    network, landmark = answers["network on fitted"], answers["landmark on fitted"]
    if options.real is None:
        return fit_fusion(network, landmark, rule), None
    bounded = bounded_by_real_faces(
        network,
        landmark,
        answers["network on real faces"],
        answers["landmark on real faces"],
        low=rule.shares[0],
        margin=rule.margin,
        others=[answers[f"{file} on fitted"] for file in _others(answers)],
    )
    fit = _shifted(bounded.chosen)
    real = fused_predictions(
        answers["network on real faces"],
        answers["landmark on real faces"],
        fit.fusion,
        fit.thresholds[[network.labels.index(label) for label in answers["network on real faces"].labels]],
    )
    document = {
        "data": options.real.name,
        "rule": asdict(RealFaceRule()),
        "bound": bounded.bound,
        "by_bound": {str(bound): _tried(one, answers) for bound, one in bounded.tried.items()},
        "threshold_shifts": bounded.chosen.shifts,
        "measured": model_document("fused", real, measure(real), intervals(real, resamples=500)),
    }
    return fit, document


def _shifted(tried: TriedBound) -> FusionFit:
    return replace(tried.fit, fusion=shifted_fusion(tried.fit.fusion, tried.shifts))


def _tried(tried: TriedBound, answers: dict[str, Predictions]) -> dict[str, Any]:
    """Figures of a bound, on real faces and on the measured split, at the same thresholds."""
    fit = _shifted(tried)
    renders = measure(
        fused_predictions(
            answers["network on measured"], answers["landmark on measured"], fit.fusion, fit.thresholds
        )
    )
    alarms = tried.real.alarms_at_rest
    return {
        "auc": tried.auc,
        "slack": tried.slack,
        "mean_recall": tried.mean_recall,
        "alarms_at_rest": None if alarms is None else alarms[0],
        "false_positive_rates": tried.false_positive_rates(RealFaceRule()),
        "f1_on_measured": float(macro_mean(renders.f1)),
        "auc_on_measured": float(macro_mean(renders.auc)),
    }


def _others(answers: dict[str, Predictions]) -> list[str]:
    """Files of the artifacts that get thresholds of their own."""
    ending = f"{_OTHER}fitted"
    names = [name.removesuffix(ending) for name in answers if name.endswith(ending)]
    return [name for name in names if name not in ("network", "landmark")]


def _own_thresholds(fit: FusionFit, answers: dict[str, Predictions], file: str) -> NDArray[np.float64]:
    """Thresholds of another artifact in the same fusion, at which it calls as many of the fitted faces as the first one.

    It has nearly the same answers. Thresholds that were fitted to its own F1, which is flat near its maximum, would differ by chance.
    """
    first, other = (
        fused_predictions(
            answers[f"{name} on fitted"], answers["landmark on fitted"], fit.fusion, fit.thresholds
        )
        for name in ("network", file)
    )
    return matched_thresholds(first, other)


def _answers(options: argparse.Namespace) -> dict[str, Predictions]:
    """Both models on both splits; kept in a file where one is named, and taken from there the next time."""
    if options.keep and options.keep.is_file():
        return _kept(options)
    if options.also and not bundle_folder(options.network).is_dir():
        raise UsageError(f"{options.network} is a single model; --also chooses from a bundle's artifacts")
    part = "network" if bundle_folder(options.network).is_dir() else None
    answers: dict[str, Predictions] = {}
    with (
        closing(open_scorer(options.network, options.artifact, part, options.threads)) as network,
        closing(open_scorer(options.landmark)) as landmark,
        ExitStack() as held,
    ):
        others = {
            other.name.rpartition("/")[2]: held.enter_context(closing(other))
            for other in (
                open_scorer(options.network, chosen, part, options.threads) for chosen in options.also
            )
        }
        labels = _labels(network, landmark)
        for split, role in ((options.fit_on, "fitted"), (options.measure_on, "measured")):
            more = others if role == "fitted" else {}
            scorers = (network, landmark, *more.values())
            tables = predict(scorers, open_faces(options.data, split), options.limit, labels).predictions
            answers |= _named(tables, more, role)
        if options.real is not None:
            tables = predict((network, landmark), open_faces(options.real), labels=labels).predictions
            answers |= _named(tables, {}, "real faces")
    if options.keep:
        save_predictions(options.keep, answers)
    return answers


def _kept(options: argparse.Namespace) -> dict[str, Predictions]:
    """Read kept answers, where they are all that is asked for.

    Raises:
        UsageError: it was kept without something that is asked for now.
    """
    answers = load_predictions(options.keep)
    roles = ("fitted", "measured", *(() if options.real is None else ("real faces",)))
    missing = [
        name
        for role in roles
        for name in (f"network on {role}", f"landmark on {role}")
        if name not in answers
    ]
    others = _others(answers)
    if len(others) < len(options.also):
        missing.append(f"{len(options.also)} other artifacts (it has {len(others)})")
    if missing:
        raise UsageError(
            f"--keep {options.keep} has no {', no '.join(missing)}; remove it, and the models are run again"
        )
    return answers


def _named(tables: Sequence[Predictions], others: dict[str, Scorer], role: str) -> dict[str, Predictions]:
    network, landmark, *more = tables
    named = {f"network on {role}": network, f"landmark on {role}": landmark}
    return named | {f"{file}{_OTHER}{role}": table for file, table in zip(others, more, strict=True)}


def _labels(network: Scorer, landmark: Scorer) -> tuple[str, ...]:
    """The network's labels, all of which a manifest's fusion must speak of."""
    missing = [label for label in network.labels if label not in landmark.labels]
    if missing:
        raise UsageError(
            f"landmark model {landmark.name} does not know {', '.join(missing)} of {network.name}, so they cannot be fused"
        )
    return network.labels


def _three(fit: FusionFit, answers: dict[str, Predictions]) -> dict[str, Predictions]:
    """All three on the measured split, thresholds from the fitted one."""
    landmark, network = (
        answers[f"{name} on measured"].with_thresholds(fit_thresholds(answers[f"{name} on fitted"]))
        for name in ("landmark", "network")
    )
    fused = fused_predictions(network, landmark, fit.fusion, fit.thresholds)
    return {"landmark": landmark, "network": network, "fused": fused}


def _document(fit: FusionFit, rule: FusionRule, tables: dict[str, Predictions]) -> dict[str, Any]:
    labels = tables["fused"].labels
    return {
        "rule": {"shares": list(rule.shares), "margin": rule.margin},
        "fusion": to_dict(fit.fusion),
        "thresholds": {
            name: dict(zip(labels, table.thresholds.tolist(), strict=True)) for name, table in tables.items()
        },
        "choice": fit.choice,
        "network_share": fit.share,
        "f1_on_fitted": fit.f1,
        "measured": {
            name: model_document(name, table, measure(table), intervals(table, resamples=500))
            for name, table in tables.items()
        },
    }


def _table(document: dict[str, Any]) -> str:
    measured = document["measured"]
    head = (
        "AU",
        *(f"{name} F1" for name in _PARTS),
        *(f"{name} AUC" for name in _PARTS),
        "ships",
        "network share",
    )
    rows = [
        (
            label,
            *(_cell(measured[name]["per_au"][label][metric]) for metric in ("f1", "auc") for name in _PARTS),
            choice,
            f"{document['network_share'][label]:.2f}",
        )
        for label, choice in document["choice"].items()
    ]
    means = (_cell(measured[name]["mean"][metric]) for metric in ("f1", "auc") for name in _PARTS)
    title = f"fitted on {document['fitted_on']}, measured on {document['measured_on']}"
    table = "\n".join((title, *aligned_lines((head, *rows, ("mean", *means, "", "")))))
    real = document["real_faces"]
    if real is None:
        return table
    bounds = aligned_lines(
        (_BOUND_HEAD, *(_bound_row(bound, one) for bound, one in real["by_bound"].items()))
    )
    parts = (
        table,
        f"on real faces\n{model_table(real['measured'])}",
        "\n".join((f"bound of the network's share: {real['bound']}", *bounds)),
    )
    return "\n\n".join(parts)


def _bound_row(bound: str, one: dict[str, Any]) -> tuple[str, ...]:
    rates = one["false_positive_rates"]
    worst = max(rates, key=rates.__getitem__, default=None)
    return (
        bound,
        f"{one['auc']:.4f}",
        f"{one['mean_recall']:.3f}",
        "-" if one["alarms_at_rest"] is None else str(one["alarms_at_rest"]),
        "-" if worst is None else f"{worst} {rates[worst]:.3f}",
        f"{one['f1_on_measured']:.4f}",
        f"{one['auc_on_measured']:.4f}",
    )


def _cell(value: dict[str, float | None]) -> str:
    number = value["value"]
    return "-" if number is None or not np.isfinite(number) else f"{number:.3f}"


if __name__ == "__main__":
    sys.exit(main())
