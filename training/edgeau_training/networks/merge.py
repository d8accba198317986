"""Checkpoints that were trained one by one, put together into one that averages their logits.

``python -m edgeau_training.networks.merge face.safetensors emotion.safetensors --out two-view.safetensors``
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.errors import CheckpointError
from edgeau_training.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from edgeau_training.networks.logit_average import LogitAverage

__all__ = ["main", "merge"]

_NAME = "edgeau_training.networks.merge"
# What the members must share: they get the same picture and answer the same question.
_SHARED = ("labels", "options", "input", "alignment")


def merge(members: Sequence[Path], out: Path) -> CheckpointInfo:
    """Writes a checkpoint of ``siat-two-view`` from checkpoints of its members, in the order given.

    Returns:
        What was written about it. It counts as trained when all members do; thresholds are not merged, because those of the
        members do not fit the mean: search them anew.

    Raises:
        CheckpointError: a file is unusable, or the members differ in labels, options, input or alignment.
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
        thresholds={},
        metrics={},
    )
    save_checkpoint(out, LogitAverage([network for network, _ in loaded]), info)
    return info


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        f"python -m {_NAME}",
        "Put checkpoints of the same labels and input together into one that averages their logits.",
        f"python -m {_NAME} face.safetensors emotion.safetensors --out two-view.safetensors",
    )
    parser.add_argument("members", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_json()
    arguments = parser.parse_args(argv)
    info = merge(arguments.members, arguments.out)
    if arguments.json:
        print_json({"out": str(arguments.out), "members": info.options["members"], "trained": info.trained})
    else:
        print(f"{arguments.out}: the mean of {' and '.join(info.options['members'])}")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run(_NAME, _body, argv)


if __name__ == "__main__":
    sys.exit(main())
