"""Checkpoints that were trained one by one, put together into one that averages their logits.

``python -m edgeau_training.postprocessing.merge face.safetensors emotion.safetensors --out two-view.safetensors``

Thresholds of the members do not fit the mean of their logits. ``--thresholds RULE`` fits new ones on the members' answers to faces
that they were not trained on, which a run leaves in ``predictions.npz``: on the validation side where the recipe has one, else
on the side that a fold held out; over all folds beside a member's own (``fold-1``, ``fold-2``...) they are averaged. On the
faces of a held-out side such thresholds are fitted, not tested: they are for other faces, as SIAT-NTU's for the test server.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.errors import CheckpointError, InputError
from edgeau_training.checkpoint import (
    CheckpointInfo,
    load_checkpoint,
    provenance_of_members,
    save_checkpoint,
)
from edgeau_training.evaluation.predictions import PREDICTIONS, Predictions, load_predictions
from edgeau_training.networks.logit_average import LogitAverage
from edgeau_training.postprocessing.ensembles import ensemble_of
from edgeau_training.postprocessing.soft_thresholds import RULES, soft_thresholds

__all__ = ["main", "merge"]

_NAME = "edgeau_training.postprocessing.merge"
# What the members must share: they get the same picture and answer the same question.
_SHARED = ("labels", "options", "input", "alignment")


def merge(members: Sequence[Path], out: Path, thresholds: str | None = None) -> CheckpointInfo:
    """Writes a checkpoint of ``siat-two-view`` from checkpoints of its members, in the order given.

    Args:
        members: checkpoints of the same labels, options, input and alignment.
        out: the file that is written.
        thresholds: rule by which they are fitted to the members' answers on held-out faces, one of
            :data:`~edgeau_training.postprocessing.soft_thresholds.RULES`; None writes none: a bundle then decides at .5.

    Returns:
        What was written about it. It counts as trained when all members do.

    Raises:
        CheckpointError: a file is unusable, or the members differ in labels, options, input or alignment.
        InputError: thresholds are wanted, and a member has no answers beside it, or on other faces than the others.
    """
    loaded = [load_checkpoint(path) for path in members]
    first = loaded[0][1]
    for path, (_, info) in zip(members, loaded, strict=True):
        for field in _SHARED:
            if getattr(info, field) != getattr(first, field):
                raise CheckpointError(
                    f"{path} and {members[0]} differ in their {field}, so they cannot answer together: "
                    f"{getattr(info, field)} and {getattr(first, field)}"
                )
    info = replace(
        first,
        network="siat-two-view",
        options={**first.options, "members": [info.network for _, info in loaded]},
        trained=all(info.trained for _, info in loaded),
        training="mean of: " + "; ".join(info.training for _, info in loaded),
        dataset_digest=first.dataset_digest
        if len({info.dataset_digest for _, info in loaded}) == 1
        else None,
        licences=tuple(dict.fromkeys(licence for _, info in loaded for licence in info.licences)),
        step=max(info.step for _, info in loaded),
        thresholds={} if thresholds is None else _fitted(members, thresholds),
        metrics={},
        provenance=provenance_of_members(members, [info for _, info in loaded]),
    )
    save_checkpoint(out, LogitAverage([network for network, _ in loaded]), info)
    return info


def _fitted(members: Sequence[Path], rule: str) -> dict[str, float]:
    by_member = [_held_out(path) for path in members]
    shared = [fold for fold in by_member[0] if all(fold in one for one in by_member)]
    if not shared:
        raise InputError(
            f"{' and '.join(str(path.parent) for path in members)} share no fold, so no face is held out from all of them"
        )
    folds = [ensemble_of([one[fold] for one in by_member], "logits") for fold in shared]
    fitted = soft_thresholds(folds, rule)
    return dict(zip(folds[0].labels, fitted.tolist(), strict=True))


def _held_out(checkpoint: Path) -> dict[str, Predictions]:
    """Answers on held-out faces by the name of the run's folder: those of the checkpoint's run, and of the folds beside it."""
    own = checkpoint.parent
    folders = sorted(own.parent.glob("fold-*")) if own.name.startswith("fold-") else [own]
    tables = {
        folder.name if len(folders) > 1 else "": load_predictions(folder / PREDICTIONS)
        for folder in folders
        if (folder / PREDICTIONS).is_file()
    }
    if not tables:
        raise InputError(
            f"{own} has no {PREDICTIONS}, which a finished run of edgeau-train leaves there: thresholds need answers to "
            "faces that were held out from training"
        )
    return {name: sides["validation" if "validation" in sides else "test"] for name, sides in tables.items()}


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        f"python -m {_NAME}",
        "Combine checkpoints with the same labels and input into one that averages their logits.",
        f"python -m {_NAME} face.safetensors emotion.safetensors --out two-view.safetensors",
    )
    parser.add_argument("members", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument(
        "--thresholds", choices=RULES, help="fit thresholds on the members' held-out faces by this rule"
    )
    parser.add_json()
    arguments = parser.parse_args(argv)
    info = merge(arguments.members, arguments.out, arguments.thresholds)
    if arguments.json:
        print_json(
            {
                "out": str(arguments.out),
                "members": info.options["members"],
                "trained": info.trained,
                "thresholds": info.thresholds,
            }
        )
    else:
        print(f"{arguments.out}: the mean of {' and '.join(info.options['members'])}")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run(_NAME, _body, argv)


if __name__ == "__main__":
    sys.exit(main())
