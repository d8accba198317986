"""``edgeau-train``: train a network from a recipe file."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeau._system.command import DONE, PARTLY, CommandParser, positive, print_json, run, say_left_out
from edgeau._system.did_you_mean import did_you_mean
from edgeau.errors import UsageError
from edgeau_training.trainer.recipe import PRECISIONS, RECIPES, Recipe, read_recipe
from edgeau_training.trainer.run_options import RunOptions

__all__ = ["main"]

_EVERY_FOLD = "every"


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return run("edgeau-train", _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    if options.list:
        return _list(as_json=options.json)
    missing = [
        name
        for name, value in (("RECIPE", options.recipe), ("--data", options.data), ("--out", options.out))
        if value is None
    ]
    if missing:
        raise UsageError(f"{' and '.join(missing)} must be given; --list prints the shipped recipes")
    if options.changed_recipe and not options.resume:
        raise UsageError("--changed-recipe is about going on with a run; give --resume too")
    recipe = read_recipe(_recipe_path(options.recipe))
    if options.precision:
        recipe = replace(recipe, precision=options.precision)
    with warnings.catch_warnings():
        warnings.showwarning = _say
        return _train_folds(recipe, options) if options.folds else _train(recipe, options)


def _list(*, as_json: bool) -> int:
    """Print the shipped recipes, each with the published rows that it is for."""
    recipes = {name: read_recipe(_recipe_path(name)) for name in _shipped()}
    if as_json:
        print_json({"recipes": [_described(name, recipe) for name, recipe in recipes.items()]})
        return DONE
    width = max(map(len, recipes))
    for name, recipe in recipes.items():
        rows = "; ".join(f"{paper.table}: {paper.row}" for paper in recipe.papers)
        print(f"{name:<{width}}  {recipe.description}{f'  [{rows}]' if rows else ''}")
    return DONE


def _described(name: str, recipe: Recipe) -> dict[str, Any]:
    return {
        "name": name,
        "description": recipe.description,
        "network": recipe.network,
        "data": recipe.data.set,
        "rows": [{"table": paper.table, "row": paper.row, "note": paper.note} for paper in recipe.papers],
    }


def _train(recipe: Recipe, options: Any) -> int:
    if (options.out / "state.pt").exists() and not options.resume:
        raise UsageError(f"{options.out} holds a run already; go on with --resume, or name another --out")
    from edgeau_training.trainer.run import Run  # torch and timm: only once the arguments are right

    one = Run(recipe, options.data, options.out, _run_options(options))
    figures = one.finish()
    checkpoint = options.out / "checkpoint.safetensors"
    problems = one.trainee.data.problems
    if not one.processes.first:
        return PARTLY if problems else DONE
    say_left_out("edgeau-train", problems)
    if options.json:
        print_json({"checkpoint": str(checkpoint), figures["side"]: figures})
    else:
        same = figures["thresholds_from"] == figures["side"]
        print(
            f"{checkpoint}: {figures['side']} F1 {_shown(figures['f1'])}, AUC {_shown(figures['auc'])}"
            f"{'; thresholds fitted on these very faces' if same else ''}"
        )
    return PARTLY if problems else DONE


def _train_folds(recipe: Recipe, options: Any) -> int:
    if options.fold:
        raise UsageError("--fold names one division and --folds several; give one of them")
    if recipe.data.set == "synthetic":
        raise UsageError("the synthetic set has one division, train and val; leave out --folds")
    from edgeau_training.trainer.fold_data import fold_names_of
    from edgeau_training.trainer.fold_runs import fold_folder, train_folds

    given = "" if options.folds == _EVERY_FOLD else options.folds
    wanted = tuple(dict.fromkeys(name for name in given.split(",") if name))
    if wanted:
        recipe = replace(recipe, data=replace(recipe.data, folds=wanted))
    names = fold_names_of(recipe.data, options.data)
    started = [name for name in names if (fold_folder(options.out, name) / "state.pt").exists()]
    if started and not options.resume:
        raise UsageError(f"{options.out} holds a run of fold {started[0]} already; go on with --resume")
    document = train_folds(recipe, options.data, options.out, names, _run_options(options))
    say_left_out("edgeau-train", document["problems"])
    code = PARTLY if document["problems"] else DONE
    if options.json:
        print_json({"out": str(options.out), **document})
        return code
    for name, figures in document["folds"].items():
        print(f"fold {name}: F1 {_shown(figures['f1'])}, AUC {_shown(figures['auc'])}")
    mean, pooled = document["mean"], document["pooled"]
    print(f"mean over folds: F1 {_shown(mean['f1'])}; pooled: F1 {_shown(pooled['f1'])}")
    return code


def _run_options(options: Any) -> RunOptions:
    return RunOptions(
        resume=options.resume,
        fold=options.fold,
        crops=options.crops,
        pretrained=options.pretrained,
        teacher=options.teacher,
        device=options.device,
        workers=options.workers,
        changed=options.changed_recipe,
        svm=options.svm,
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "edgeau-train",
        "Train a network from a recipe. Writes checkpoint.safetensors, metrics.json, predictions.npz, log.jsonl, curves for "
        "TensorBoard and a state to resume from. On several GPUs or machines, start it with torchrun.",
        "edgeau-train mrpnet-bp4d --data BP4D/ --out runs/mrpnet --folds --pretrained efficientnet_b1.safetensors",
    )
    parser.add_argument(
        "recipe", nargs="?", metavar="RECIPE", help="a .toml file, or a shipped recipe that --list names"
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="print the shipped recipes and the rows of the papers' tables that they reproduce, and exit",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR|FILE",
        help="folder of the data set, or a table of pictures",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of this run")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument(
        "--changed-recipe",
        action="store_true",
        help="with --resume: continue even if the recipe or the data have changed; the checkpoint records that",
    )
    parser.add_argument("--fold", default="", metavar="NAME", help="fold of the data set to train on")
    parser.add_argument(
        "--folds",
        nargs="?",
        const=_EVERY_FOLD,
        default="",
        metavar="NAMES",
        help="train every fold, or those named (1,3), each in its own folder, and evaluate them together",
    )
    parser.add_argument(
        "--crops", type=Path, metavar="DIR", help="where aligned crops are kept (default: crops in --out)"
    )
    parser.add_argument(
        "--pretrained",
        type=Path,
        metavar="FILE",
        help="weights to start from: a backbone's file, or a checkpoint of the same network; {fold} is replaced by the fold's name",
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="NPZ",
        help="a model's answers to the training faces, for a recipe with imitation; written by edgeau_training.evaluation.teacher_answers",
    )
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        help="device to train on (default: auto)",
    )
    parser.add_argument("--precision", choices=PRECISIONS, help="numeric precision (default: the recipe's)")
    parser.add_argument(
        "--workers", type=positive, default=1, metavar="N", help="threads that prepare pictures (default: 1)"
    )
    parser.add_argument(
        "--svm",
        action="store_true",
        help="also fit linear SVMs on the features before the classifier, as DRML does; saved as svm.safetensors",
    )
    parser.add_json()
    return parser


def _say(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning in one line, without the place in the code that gave it."""
    print(f"edgeau-train: {' '.join(str(message).split())}", file=sys.stderr)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _shipped() -> list[str]:
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def _recipe_path(name: str) -> Path:
    """A shipped recipe by its name, or a file."""
    if name in _shipped():
        return RECIPES / f"{name}.toml"
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"{name!r} is neither a shipped recipe nor a file; {did_you_mean(name, _shipped())}--list prints the shipped recipes"
        )
    return path


if __name__ == "__main__":
    sys.exit(main())
