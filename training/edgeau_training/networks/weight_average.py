"""``python -m edgeau_training.networks.weight_average``: weights between those that a training started from and its last.

A network that was trained on keeps more of what it knew on other pictures when its weights are averaged with the earlier ones
(Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from edgeau._system.command import DONE, CommandParser, run
from edgeau.errors import UsageError
from edgeau_training.checkpoint import load_checkpoint, provenance_of_members, save_checkpoint

__all__ = ["average_weights", "main"]

NAME = "python -m edgeau_training.networks.weight_average"


@torch.no_grad()
def average_weights(earlier: nn.Module, later: nn.Module, share: float) -> nn.Module:
    """``later``, changed in place: ``share`` of its own weights and statistics, the rest of the earlier one's.

    Raises:
        UsageError: the networks differ.
    """
    first, last = earlier.float().state_dict(), later.float().state_dict()
    if {name: one.shape for name, one in first.items()} != {name: one.shape for name, one in last.items()}:
        raise UsageError("the two checkpoints are of different networks; only weights of one network average")
    for name, mine in last.items():
        if mine.is_floating_point():
            mine.mul_(share).add_(first[name], alpha=1 - share)
    return later


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _average, argv)


def _average(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Average the weights that a training started from with those it ended with.",
        f"{NAME} start.safetensors runs/slim/checkpoint.safetensors --share 0.7 --out light.safetensors",
    )
    parser.add_argument("earlier", type=Path)
    parser.add_argument("later", type=Path)
    parser.add_argument(
        "--share", type=float, default=0.5, help="of the later weights, 0..1 (default %(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(argv)
    if not 0 <= options.share <= 1:
        raise UsageError(f"--share {options.share} is not between 0 and 1")
    members = [options.earlier, options.later]
    (earlier, first), (later, info) = (load_checkpoint(path) for path in members)
    training = f"{info.training}; weights averaged with earlier ones, {options.share:g} of the later"
    # Thresholds and figures were of other weights.
    described = replace(
        info,
        training=training,
        thresholds={},
        metrics={},
        licences=tuple(dict.fromkeys((*info.licences, *first.licences))),
        provenance=provenance_of_members(members, [first, info]),
    )
    save_checkpoint(options.out, average_weights(earlier, later, options.share), described)
    print(options.out)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
