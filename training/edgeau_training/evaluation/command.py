"""``edgeau-evaluate``: how well a model does on labelled faces, and how far it is from another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, say_left_out
from edgeau._system.command import run as run_command
from edgeau.action_units.names import written_label
from edgeau.errors import UsageError
from edgeau.metrics import OBJECTIVES
from edgeau_training.evaluation.comparison import compare
from edgeau_training.evaluation.faces import LabelledFaces, open_faces
from edgeau_training.evaluation.metrics import fit_thresholds, intervals, measure
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.report import (
    comparison_document,
    comparison_table,
    model_document,
    model_table,
    write_document,
)
from edgeau_training.evaluation.run import ModelPredictions, predict
from edgeau_training.evaluation.scorers import PARTS, Scorer, open_scorer

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``edgeau-evaluate --help``."""
    return run_command("edgeau-evaluate", _evaluate, argv)


def _parser() -> CommandParser:
    parser = CommandParser(
        "edgeau-evaluate",
        "Per-AU F1, AUC and accuracy of a model on labelled faces, with bootstrap intervals.",
        "edgeau-evaluate bundle/ --against mrpnet.safetensors --data synth/ --split test --out evaluation/",
    )
    parser.add_argument(
        "model", type=Path, help="bundle folder, checkpoint .safetensors, .onnx, or landmark model .npz"
    )
    parser.add_argument(
        "--against", type=Path, metavar="MODEL", help="a second model, the reference of the first"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="a table of pictures (.csv: picture,person,clip,split,AU1,...) or the folder that it lies in, a synthetic data set, "
        "or .npz of labelled landmarks",
    )
    parser.add_argument(
        "--split",
        help="train, val or test, of a synthetic data set (default test) or of a table's column split (default all)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write evaluation.json, f1-auc.png and roc.png there"
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="only the first N faces")
    parser.add_argument("--aus", metavar="1,4,smile", help="only these labels")
    parser.add_argument(
        "--artifact", metavar="FILE", help="of a bundle: the file to run (default: its first)"
    )
    parser.add_argument("--against-artifact", metavar="FILE", help="the same for --against")
    parser.add_argument(
        "--part", choices=PARTS, help="of a bundle: what to judge by (default: what the bundle ships)"
    )
    parser.add_argument("--against-part", choices=PARTS, help="the same for --against")
    parser.add_argument("--resamples", type=_positive, default=1000, help="bootstrap draws (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
    parser.add_argument(
        "--fit-thresholds",
        choices=tuple(OBJECTIVES),
        metavar="OBJECTIVE",
        help=f"fit thresholds on THIS data ({', '.join(OBJECTIVES)}): an upper bound, for looking only",
    )
    parser.add_argument("--threads", type=_positive, default=1, help="threads of the engine (default 1)")
    parser.add_json()
    return parser


def _evaluate(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    faces = open_faces(options.data, options.split)
    with ExitStack() as held:
        scorers = [held.enter_context(closing(scorer)) for scorer in _open_scorers(options)]
        outcome = predict(scorers, faces, options.limit, _wanted(options.aus))
    tables = [_thresholded(table, options.fit_thresholds) for table in outcome.predictions]
    named = list(zip(_distinct([scorer.name for scorer in scorers]), tables, strict=True))
    document = _document(named, faces, outcome, options)
    if options.out:
        _write(options.out, document, named)
    _print(document, as_json=options.json)
    return PARTLY if outcome.left_out or faces.problems else DONE


def _open_scorers(options: argparse.Namespace) -> list[Scorer]:
    scorers = [open_scorer(options.model, options.artifact, options.part, options.threads)]
    if options.against is not None:
        scorers.append(
            open_scorer(options.against, options.against_artifact, options.against_part, options.threads)
        )
    elif options.against_artifact or options.against_part:
        raise UsageError(
            "--against-artifact and --against-part choose from the model of --against, which is missing"
        )
    return scorers


def _thresholded(table: Predictions, objective: str | None) -> Predictions:
    return table if objective is None else table.with_thresholds(fit_thresholds(table, objective))


def _document(
    named: list[tuple[str, Predictions]],
    faces: LabelledFaces,
    outcome: ModelPredictions,
    options: argparse.Namespace,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "data": {
            "name": faces.name,
            "digest": faces.digest,
            "faces": len(named[0][1].truth),
            "not_found": outcome.left_out,
            "problems": list(faces.problems),
        },
        "thresholds": "fitted on this very data" if options.fit_thresholds else "of the model",
        "models": [
            model_document(
                name, table, measure(table), intervals(table, options.resamples, seed=options.seed)
            )
            for name, table in named
        ],
    }
    if len(named) == 2:
        (name, table), (other, reference) = named
        document["comparison"] = comparison_document(name, other, compare(table, reference))
    return document


def _print(document: dict[str, Any], *, as_json: bool) -> None:
    data = document["data"]
    say_left_out("edgeau-evaluate", data["problems"])
    if data["not_found"]:
        print(f"edgeau-evaluate: no face was found in {data['not_found']} of {data['faces'] + data['not_found']} "
              "pictures; they are left out of all figures", file=sys.stderr)  # fmt: skip
    if as_json:
        print_json(document)
        return
    print(f"{data['name']}: {data['faces']} faces; thresholds {document['thresholds']}\n")
    for model in document["models"]:
        print(model_table(model), end="\n\n")
    if "comparison" in document:
        print(comparison_table(document["comparison"]))


def _write(folder: Path, document: dict[str, Any], named: list[tuple[str, Predictions]]) -> None:
    # Drawing is heavy to import and not always asked for.
    from edgeau_training.evaluation.plots import draw_bars, draw_roc, save_figure

    write_document(folder / "evaluation.json", document)
    title = f"{document['data']['name']}, {document['data']['faces']} faces"
    save_figure(draw_bars(document["models"], title), folder / "f1-auc.png")
    save_figure(draw_roc(named, title), folder / "roc.png")


def _distinct(names: list[str]) -> list[str]:
    """Two models of the same name are told apart by number, so that tables stay readable."""
    if len(set(names)) == len(names):
        return names
    return [f"{name} ({number})" for number, name in enumerate(names, 1)]


def _wanted(aus: str | None) -> tuple[str, ...] | None:
    if aus is None:
        return None
    words = [word.strip() for word in aus.split(",")]
    return tuple(written_label(f"AU{word}" if word[:1].isdigit() else word) for word in words)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
