"""``edgeau-train``: train a network from a recipe file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from edgeau.command import DONE, CommandParser, print_json, run
from edgeau.errors import UsageError
from edgeau_training.trainer.recipe import read_recipe

__all__ = ["main"]

RECIPES = Path(__file__).parent / "recipes"


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return run("edgeau-train", _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    recipe = read_recipe(_recipe_path(options.recipe))
    state = options.out / "state.pt"
    if state.exists() and not options.resume:
        raise UsageError(f"{options.out} holds a run already; go on with --resume, or name another --out")
    from edgeau_training.trainer.run import Run  # torch and timm: only once the arguments are right

    figures = Run(recipe, options.data, options.out, options.resume).finish()
    if options.json:
        print_json({"checkpoint": str(options.out / "checkpoint.safetensors"), "validation": figures})
    else:
        print(
            f"{options.out / 'checkpoint.safetensors'}: validation F1 {figures['f1']:.3f}, AUC {figures['auc']:.3f}"
        )
    return DONE


def _parser() -> CommandParser:
    parser = CommandParser(
        "edgeau-train",
        "Train a network from a recipe. Writes checkpoint.safetensors, metrics.json, log.jsonl and a state to resume from.",
        "edgeau-train mrpnet-synthetic --data faces/ --out runs/mrpnet",
    )
    parser.add_argument("recipe", metavar="RECIPE", help=f"a .toml file, or one of: {', '.join(_shipped())}")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what edgeau-synth wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of this run")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the state in the folder of this run"
    )
    parser.add_json()
    return parser


def _shipped() -> list[str]:
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def _recipe_path(name: str) -> Path:
    """A shipped recipe by its name, or a file."""
    return RECIPES / f"{name}.toml" if name in _shipped() else Path(name)


if __name__ == "__main__":
    sys.exit(main())
