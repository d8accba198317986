"""``python -m edgeau_training.evaluation.teacher_answers``: what a bundle answers to a training split, for a student to imitate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from edgeau._system.command import DONE, CommandParser, positive, run
from edgeau_training.evaluation.faces import open_faces
from edgeau_training.evaluation.predictions import save_predictions
from edgeau_training.evaluation.run import predict
from edgeau_training.evaluation.scorers import open_scorer
from edgeau_training.trainer.teacher import TABLE

__all__ = ["main"]

NAME = "python -m edgeau_training.evaluation.teacher_answers"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _answer, argv)


def _answer(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Write a model's answers to the training split of a synthetic data set, for edgeau-train --teacher.",
        f"{NAME} default --data synth/ --out teacher.npz",
    )
    parser.add_argument("model", help="bundle (default, light or a folder), checkpoint .safetensors or .onnx")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="synthetic data set")
    parser.add_argument("--out", type=Path, required=True, metavar="NPZ")
    parser.add_argument("--artifact", help="of a bundle (default: its first)")
    parser.add_argument("--threads", type=positive, default=1, help="of the engine (default 1)")
    options = parser.parse_args(argv)
    with closing(open_scorer(options.model, options.artifact, None, options.threads)) as teacher:
        (table,) = predict((teacher,), open_faces(options.data, "train")).predictions
        table = replace(table, licences=teacher.licences)
    save_predictions(options.out, {TABLE: table})
    print(f"{options.out}: answers of {options.model} to {len(table.logits)} faces")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
