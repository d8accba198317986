"""``python -m edgeau_training.evaluation.better_folds``: of several cross-validations, the better model of each fold.

USTC keeps for each of its divisions the fusion that did better there, and lets the five models vote: ``--paths`` prints their
checkpoints, for ``edgeau-evaluate --ensemble vote``.

A fold's model is measured on the fold's held-out faces, which chose it: its figure there is no longer a test.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau._system.json_text import parse_json
from edgeau._system.text_table import aligned_lines
from edgeau.errors import InputError

__all__ = ["FoldChoice", "better_folds", "main"]

NAME = "python -m edgeau_training.evaluation.better_folds"
_FOLDS = "folds.json"
_CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class FoldChoice:
    """The better model of one fold.

    Attributes:
        fold: its name.
        checkpoint: of the better run.
        f1: mean F1 of each run on the fold's held-out faces, by the run's folder.
    """

    fold: str
    checkpoint: Path
    f1: dict[str, float]


def better_folds(runs: Sequence[Path]) -> list[FoldChoice]:
    """Compare runs of ``edgeau-train --folds``, fold by fold, by their mean F1; of equal ones the run that was named first.

    Raises:
        InputError: a run has no ``folds.json``, runs differ in their folds, or a checkpoint is missing.
    """
    f1 = {run: _f1(run) for run in runs}
    names = list(f1[runs[0]])
    for folder, figures in f1.items():
        if list(figures) != names:
            raise InputError(f"{folder} has the folds {', '.join(figures)}, {runs[0]} has {', '.join(names)}")
    choices = []
    for name in names:
        best = max(runs, key=lambda run: f1[run][name])
        checkpoint = best / f"fold-{name}" / _CHECKPOINT
        if not checkpoint.is_file():
            raise InputError(f"{checkpoint} does not exist; train it with edgeau-train --folds --resume")
        choices.append(FoldChoice(name, checkpoint, {str(run): f1[run][name] for run in runs}))
    return choices


def _f1(run: Path) -> dict[str, float]:
    path = run / _FOLDS
    try:
        document: Any = parse_json(path.read_bytes())
        return {str(name): float(fold["f1"]) for name, fold in document["folds"].items()}
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}; it is what edgeau-train --folds writes"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not the folds.json that edgeau-train --folds writes ({error})"
        ) from error


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Print the best model of each fold among several cross-validations.",
        f"{NAME} runs/fixed runs/attn",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of edgeau-train --folds")
    parser.add_argument(
        "--paths", action="store_true", help="print the checkpoints alone, for another command"
    )
    parser.add_json()
    options = parser.parse_args(argv)
    choices = better_folds(options.runs)
    if options.json:
        print_json([{"fold": one.fold, "checkpoint": str(one.checkpoint), "f1": one.f1} for one in choices])
    elif options.paths:
        print("\n".join(str(one.checkpoint) for one in choices))
    else:
        head = ("fold", *map(str, options.runs), "better")
        rows = [
            (one.fold, *(f"{value:.4f}" for value in one.f1.values()), str(one.checkpoint)) for one in choices
        ]
        print("\n".join(aligned_lines([head, *rows])))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
