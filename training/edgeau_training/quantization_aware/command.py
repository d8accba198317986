"""The command: fine-tune a checkpoint so that it bears INT8."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeau._system.command import DONE, CommandParser, positive, print_json, run
from edgeau_training.networks.integer_friendly import ACTIVATIONS
from edgeau_training.quantization_aware.distillation import Course
from edgeau_training.quantization_aware.fine_tune import FineTunePlan, Tuned, fine_tune

__all__ = ["main"]

_NAME = "python -m edgeau_training.quantization_aware"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    plan = FineTunePlan(
        course=Course(options.steps, options.rate),
        batch=options.batch,
        weight_bits=options.weight_bits,
        activation=options.activation,
        squeeze_excite=not options.no_squeeze_excite,
        seed=options.seed,
        shards=options.shards,
        validated=options.validated,
    )
    tuned = fine_tune(options.checkpoint, options.data, options.out, plan)
    if options.json:
        print_json({"out": str(options.out), **_figures(tuned), "losses": list(tuned.losses)})
    else:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in _figures(tuned).items())
        print(f"{options.out}: validation F1 {figures}")
    return DONE


def _figures(tuned: Tuned) -> dict[str, float]:
    return {"float": tuned.float_f1, "rounded": tuned.rounded_f1, "tuned": tuned.tuned_f1}


def _parser() -> CommandParser:
    parser = CommandParser(
        _NAME,
        "Fine-tune a checkpoint with simulated INT8 rounding, distilled from its own float answers; "
        "optionally after making its stem integer-friendly.",
        f"{_NAME} mrpnet.safetensors --data data/synth --out mrpnet-int8.safetensors",
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="of a trained network")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what edgeau-synth wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".safetensors to write")
    parser.add_argument("--steps", type=positive, default=300, help="(default %(default)s)")
    parser.add_argument("--batch", type=positive, default=16, help="faces a step (default %(default)s)")
    parser.add_argument("--rate", type=float, default=3e-5, help="learning rate (default %(default)s)")
    parser.add_argument("--weight-bits", type=int, default=7, choices=(7, 8), help="(default %(default)s)")
    parser.add_argument(
        "--activation", choices=sorted(ACTIVATIONS), help="takes the place of SiLU in the stem"
    )
    parser.add_argument(
        "--no-squeeze-excite", action="store_true", help="fold the mean gates into the weights behind them"
    )
    parser.add_argument(
        "--shards", type=positive, default=8, help="of the training split to read (default %(default)s)"
    )
    parser.add_argument(
        "--validated", type=positive, default=500, help="validation faces to measure on (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(default %(default)s)")
    parser.add_json()
    return parser
