"""A cross-validation: one run a fold, each in its own folder, and the figures of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeau.errors import CheckpointError
from edgeau_training.checkpoint import read_info
from edgeau_training.evaluation.folds import folds_document
from edgeau_training.evaluation.predictions import PREDICTIONS, load_predictions
from edgeau_training.evaluation.report import write_document
from edgeau_training.trainer.delivery import CHECKPOINT, METRICS
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.run import STATE, Run
from edgeau_training.trainer.run_options import RunOptions
from edgeau_training.trainer.trainee import CROPS

__all__ = ["FOLDS", "fold_folder", "train_folds"]

FOLDS = "folds.json"


def train_folds(
    recipe: Recipe, data: Path, out: Path, names: Sequence[str], options: RunOptions
) -> dict[str, Any]:
    """Trains what is left of a cross-validation and measures it.

    Args:
        recipe: recipe of every fold.
        data: folder of the data set.
        out: folder of all folds; a fold with figures is done and left alone.
        names: names of the folds.
        options: options of every run.

    Returns:
        What ``folds.json`` says: figures per fold, their mean, and pooled; and thresholds averaged over folds.

    Raises:
        UserError: whatever a run raises.
    """
    writes = True
    problems: dict[str, None] = {}  # each once, in order
    for name in names:
        folder = fold_folder(out, name)
        if (folder / METRICS).is_file():
            _check_recipe(folder, recipe, options)
        else:
            run = Run(recipe, data, folder, _options_of(options, out, folder, name))
            run.finish()
            problems |= dict.fromkeys(run.trainee.data.problems)
            writes = run.processes.first
    tables = [load_predictions(fold_folder(out, name) / PREDICTIONS)["test"] for name in names]
    document = folds_document(names, tables, recipe.thresholds) | {"problems": list(problems)}
    if writes:
        write_document(out / FOLDS, document)
    return document


def fold_folder(out: Path, name: str) -> Path:
    """Folder of one fold's run."""
    return out / f"fold-{name}"


def _check_recipe(folder: Path, recipe: Recipe, options: RunOptions) -> None:
    """A finished fold must be of the same recipe as those that are still to be trained: their figures are averaged."""
    checkpoint = folder / CHECKPOINT
    if options.changed or not checkpoint.is_file():
        return
    origin = read_info(checkpoint).provenance
    if origin is not None and origin.recipe != recipe.digest:
        raise CheckpointError(
            f"{folder} was trained with another recipe, so that its figures cannot be averaged with those of this one; name another "
            "--out, remove that folder, or take it as it is with --changed-recipe"
        )


def _options_of(options: RunOptions, out: Path, folder: Path, name: str) -> RunOptions:
    return replace(
        options,
        fold=name,
        resume=options.resume and (folder / STATE).is_file(),
        crops=options.crops or out / CROPS,
    )
