"""``python -m edgeau_training.evaluation.fusion_command``: fit the fusion on val, bound it by real faces, measure on test."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau._system.records import to_dict
from edgeau._system.text_table import aligned_lines
from edgeau.errors import UsageError
from edgeau_training.evaluation.faces import open_faces
from edgeau_training.evaluation.fusion_fit import FusionFit, FusionRule, fit_fusion, fused_predictions
from edgeau_training.evaluation.metrics import fit_thresholds, intervals, measure
from edgeau_training.evaluation.predictions import Predictions, load_predictions, save_predictions
from edgeau_training.evaluation.real_face_bounds import (
    RealFaceRule,
    bounded_by_real_faces,
    shifted_fusion,
)
from edgeau_training.evaluation.report import model_document, model_table, write_document
from edgeau_training.evaluation.run import predict
from edgeau_training.evaluation.scorers import Scorer, open_scorer

__all__ = ["main"]

NAME = "python -m edgeau_training.evaluation.fusion_command"
_PARTS = ("landmark", "network", "fused")


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
    parser.add_argument("network", type=Path, help="checkpoint .safetensors, .onnx, or a bundle's folder")
    parser.add_argument("landmark", type=Path, help="landmark model .npz")
    parser.add_argument("--data", type=Path, required=True, help="synthetic data set")
    parser.add_argument("--fit-on", default="val", metavar="SPLIT", help="default %(default)s")
    parser.add_argument("--measure-on", default="test", metavar="SPLIT", help="default %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N faces of each split")
    parser.add_argument("--artifact", help="of a bundle")
    parser.add_argument("--shares", type=float, nargs=2, default=FusionRule.shares, metavar=("LOW", "HIGH"),
                        help="bounds of the network's share (default %(default)s)")  # fmt: skip
    parser.add_argument("--real", type=Path, metavar="DIR",
                        help="labelled pictures of real faces, which bound the network's share and the thresholds")  # fmt: skip
    parser.add_argument("--margin", type=float, default=FusionRule.margin,
                        help="F1 by which the landmark model alone must be better to be taken (default %(default)s)")  # fmt: skip
    parser.add_argument("--threads", type=int, default=1, help="of the engine (default 1)")
    parser.add_argument("--keep", type=Path, metavar="NPZ",
                        help="keep what both models said there; if the file exists, fit on it instead of running them")  # fmt: skip
    parser.add_json()
    return parser


def _fit(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    rule = FusionRule(shares=(options.shares[0], options.shares[1]), margin=options.margin)
    answers = _answers(options)
    fit, bounds = _fitted(options, answers, rule)
    tables = _three(fit, answers)
    document = {"network": options.network.name, "landmark": options.landmark.name, "data": options.data.name,
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
    """The fit on renders, bounded by real faces where they are given, and what they did to it."""
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
    )
    fit = replace(bounded.fit, fusion=shifted_fusion(bounded.fit.fusion, bounded.shifts))
    real = fused_predictions(
        answers["network on real faces"],
        answers["landmark on real faces"],
        fit.fusion,
        fit.thresholds[[network.labels.index(label) for label in bounded.shifts]],
    )
    document = {
        "data": options.real.name,
        "rule": asdict(RealFaceRule()),
        "bound": bounded.bound,
        "auc_by_bound": {str(bound): value for bound, value in bounded.auc.items()},
        "threshold_shifts": bounded.shifts,
        "measured": model_document("fused", real, measure(real), intervals(real, resamples=500)),
    }
    return fit, document


def _answers(options: argparse.Namespace) -> dict[str, Predictions]:
    """Both models on both splits; kept in a file where one is named, and taken from there the next time."""
    if options.keep and options.keep.is_file():
        return load_predictions(options.keep)
    part = "network" if options.network.is_dir() else None
    answers: dict[str, Predictions] = {}
    with (
        closing(open_scorer(options.network, options.artifact, part, options.threads)) as network,
        closing(open_scorer(options.landmark)) as landmark,
    ):
        labels = _labels(network, landmark)
        for split, role in ((options.fit_on, "fitted"), (options.measure_on, "measured")):
            outcome = predict((network, landmark), open_faces(options.data, split), options.limit, labels)
            answers[f"network on {role}"], answers[f"landmark on {role}"] = outcome.predictions
        if options.real is not None:
            outcome = predict((network, landmark), open_faces(options.real))
            answers["network on real faces"], answers["landmark on real faces"] = outcome.predictions
    if options.keep:
        save_predictions(options.keep, answers)
    return answers


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
    return table if real is None else f"{table}\n\non real faces\n{model_table(real['measured'])}"


def _cell(value: dict[str, float | None]) -> str:
    number = value["value"]
    return "-" if number is None or not np.isfinite(number) else f"{number:.3f}"


if __name__ == "__main__":
    sys.exit(main())
