"""The options of ``edgeau-evaluate``, and which of them belong together."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeau._system.command import CommandParser, positive
from edgeau.action_units.names import written_label
from edgeau.errors import UsageError
from edgeau.metrics import OBJECTIVES
from edgeau_training.evaluation.answers import check_answers
from edgeau_training.evaluation.faces.data_set import named_set
from edgeau_training.evaluation.scorers import PARTS
from edgeau_training.postprocessing.ensembles import ENSEMBLES

__all__ = ["EVERY", "FOLD", "bundle_on_renders_parser", "check_options", "option_parser", "wanted_labels"]

FOLD = "{fold}"  # in a model's name stands for that of the fold
EVERY = "every"


def bundle_on_renders_parser(name: str, description: str, example: str) -> CommandParser:
    """Make the parser of a command that measures a bundle on a data set of edgeau-synth.

    Args:
        name: name of the command.
        description: what it measures.
        example: one use of it.
    """
    parser = CommandParser(name, description, example)
    parser.add_argument("bundle", metavar="NAME|DIR", help="default, light, or a folder")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="data set of edgeau-synth")
    parser.add_argument("--split", default="test", help="split to measure on (default: %(default)s)")
    parser.add_argument("--artifact", metavar="SEL", help="artifact of the bundle (default: the first)")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N faces")
    parser.add_json()
    return parser


def option_parser() -> CommandParser:
    """Make the parser of the command."""
    parser = CommandParser(
        "edgeau-evaluate",
        "Per-AU F1, AUC and accuracy of models on labelled faces, with bootstrap intervals.",
        "edgeau-evaluate bundle/ --against mrpnet.safetensors --data synth/ --split test --out evaluation/",
    )
    parser.add_argument(
        "model",
        nargs="+",
        metavar="MODEL",
        help="bundle (default, light or a folder), checkpoint .safetensors, .onnx, or landmark model .npz; several with --ensemble",
    )
    parser.add_argument("--against", metavar="MODEL", help="a second model to compare with")
    parser.add_argument(
        "--data",
        required=True,
        metavar="DATA|SET:DIR",
        help="a table of pictures (.csv: picture,person,clip,split,AU1,...) or its folder, a synthetic data set, "
        ".npz of labelled landmarks, or a published set by name and folder: bp4d:DIR, disfa:DIR, emotionet:DIR, aff-wild2:DIR",
    )
    parser.add_argument(
        "--data-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of a published set's reader, as under [data] in a recipe: coding=list.txt, subjects=F001,M011",
    )
    parser.add_argument(
        "--split",
        help="train, val or test: split of a synthetic data set (default: test) or a table's column split (default: all); with --fold, its "
        "train or test side",
    )
    parser.add_argument(
        "--fold", metavar="NAME", help="fold of a published set, measured on its test side (default: all faces, or the "
        "fold that the model was trained on)"
    )  # fmt: skip
    parser.add_argument(
        "--folds",
        nargs="?",
        const=EVERY,
        metavar="NAMES",
        help="measure every fold (or 1,3) with its own model, mean and pooled; {fold} in MODEL is replaced by the fold's name",
    )
    parser.add_argument(
        "--crops",
        type=Path,
        metavar="DIR",
        help="aligned crops of a published set that an earlier training made",
    )
    parser.add_argument(
        "--ensemble",
        choices=ENSEMBLES,
        help="combine all models: mean of logits, mean of probabilities, or majority vote",
    )
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="write the decisions: a table (.csv), or the format of a challenge (emotionet: .npy or .csv, aff-wild2: .txt)",
    )
    parser.add_argument(
        "--sample",
        type=Path,
        metavar="FILE",
        help="aff-wild2: the organisers' list of test frames, for --answers",
    )
    parser.add_argument(
        "--unlabelled", action="store_true", help="emotionet: use pictures without labels, for --answers"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for evaluation.json, f1-auc.png and roc.png"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N faces")
    parser.add_argument("--aus", metavar="LIST", help="only these labels, such as AU4,AU12")
    parser.add_argument(
        "--artifact",
        metavar="SEL",
        help="artifact of a bundle: onnxruntime, int8, onnxruntime/int8, ... or a file (default: its first)",
    )
    parser.add_argument("--against-artifact", metavar="SEL", help="the same for --against")
    parser.add_argument(
        "--part",
        choices=PARTS,
        help="part of a bundle to evaluate (default: fused, where the bundle has a fusion)",
    )
    parser.add_argument("--against-part", choices=PARTS, help="the same for --against")
    parser.add_argument(
        "--resamples",
        metavar="N",
        type=positive,
        default=1000,
        help="number of bootstrap resamples (default: 1000)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="random seed of the bootstrap (default: 0)"
    )
    parser.add_argument(
        "--fit-thresholds",
        choices=tuple(OBJECTIVES),
        metavar="OBJECTIVE",
        help=f"fit thresholds on THIS data ({', '.join(OBJECTIVES)}): gives an upper bound, not a result",
    )
    parser.add_argument(
        "--threads", metavar="N", type=positive, default=1, help="threads per inference (default: 1)"
    )
    parser.add_json()
    return parser


def check_options(options: argparse.Namespace) -> None:
    """Refuse what does not belong together before anything is opened.

    Raises:
        UsageError: an option is missing, or cannot stand beside another.
    """
    published = named_set(options.data)
    if len(options.model) > 1 and options.ensemble is None:
        raise UsageError(
            f"{len(options.model)} models were given: --ensemble {'|'.join(ENSEMBLES)} makes one of them, --against compares two"
        )
    if options.against is None and (options.against_artifact or options.against_part):
        raise UsageError(
            "--against-artifact and --against-part choose from the model of --against, which is missing"
        )
    given = {"--fold": options.fold, "--folds": options.folds, "--crops": options.crops, "--data-option": options.data_option,
             "--sample": options.sample, "--unlabelled": options.unlabelled}  # fmt: skip
    for name, value in given.items():
        if value and published is None:
            raise UsageError(
                f"{name} belongs to a published set, such as --data bp4d:DIR; --data is {options.data}"
            )
    if options.folds and (options.fold or options.split or options.against or options.answers or options.out):
        raise UsageError("--folds goes with none of --fold, --split, --against, --answers and --out")
    if options.folds and not all(FOLD in model for model in options.model):
        raise UsageError(
            f"--folds needs one model a fold: write {FOLD} where their names differ, such as runs/fold-{FOLD}/checkpoint.safetensors"
        )
    if options.answers is not None:
        check_answers(options.answers, None if published is None else published[0], options.sample)
    elif options.sample or options.unlabelled:
        raise UsageError("pictures without labels can only be answered: say --answers FILE")


def wanted_labels(aus: str | None) -> tuple[str, ...] | None:
    """The labels of ``1,4,smile``; None for all."""
    if aus is None:
        return None
    words = [word.strip() for word in aus.split(",")]
    return tuple(written_label(f"AU{word}" if word[:1].isdigit() else word) for word in words)
