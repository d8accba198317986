"""``python -m edgeau_training.networks.slimming``: a slim MRP-Net that starts from a trained MRP-Net's weights.

The stem's remaining blocks are taken as they are. In the head, each group keeps the channels whose answers weigh most in the
classifier; average pooling and weighing of its regions, and the bilinear resize from 5x5 to 7x7 cells that MRP-Net was trained
with at 144 pixels, are linear and become one 5x5 kernel per channel. What was cut must be learnt again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgeau._system.command import DONE, CommandParser, positive, run
from edgeau._system.records import to_dict
from edgeau.errors import UsageError
from edgeau_training.checkpoint import load_checkpoint, save_checkpoint
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.mrpnet import MRPHead, MRPNet
from edgeau_training.networks.region_pooling import MAP_SIZE, RegionPooling
from edgeau_training.networks.slim_mrpnet import BLOCKS, CELLS, SlimMRPNet

__all__ = ["main", "slim_network"]

NAME = "python -m edgeau_training.networks.slimming"
_SLIM = "mrpnet-slim"


@torch.no_grad()
def slim_network(
    network: MRPNet, width: int, activation: str | None = None, blocks: Sequence[int] = BLOCKS
) -> SlimMRPNet:
    """A slim network with what it can keep of a trained one.

    Args:
        network: on EfficientNet-B1, variant R.
        width: channels kept of each group of the head.
        activation: activation of the slim network's stem.
        blocks: kept of each stage.
    """
    if not isinstance(network.head, MRPHead):
        raise UsageError("slimming needs an MRP head; a network with gap has none")
    slim = SlimMRPNet(network.classifier.out_features, width, blocks, activation)
    stem = network.stem.state_dict()
    slim.stem.load_state_dict({name: stem[name] for name in slim.stem.state_dict()})
    wide = network.classifier.in_features // len(network.head.groups)
    columns = []
    for place, start in enumerate(range(0, network.classifier.in_features, wide)):
        group, region = network.head.groups[place], cast("RegionPooling", network.head.regions[place])
        kept = _most_used(network.classifier.weight[:, start : start + wide], region, width)
        columns.append(kept + start)
        first, second = (cast("Any", part[place]) for part in (slim.head.groups, slim.head.regions))
        _keep(first, cast("Any", group), kept)
        second[0].weight.copy_(_merged(region)[kept])
        _copy_norm(second[1], region.norm, kept)
    slim.classifier.weight.copy_(network.classifier.weight[:, torch.cat(columns)])
    slim.classifier.bias.copy_(network.classifier.bias)
    return slim


def _most_used(weights: Tensor, region: RegionPooling, width: int) -> Tensor:
    """Channels of a group by how far their usual answers move the logits, in order of their place.

    Args:
        weights: weights of the classifier for this group, ``(C, channels)``.
        region: whose answers they weigh.
        width: channels wanted.
    """
    # The region's answer before ReLU is normalised to this deviation.
    use = weights.norm(dim=0) * region.norm.weight.abs()
    return torch.sort(use.topk(width).indices).values


def _merged(region: RegionPooling) -> Tensor:
    """Resize 5x5 -> 7x7, pool and weigh as one kernel, ``(channels, 1, 5, 5)``."""
    cells = torch.eye(CELLS * CELLS).view(CELLS * CELLS, 1, CELLS, CELLS)
    resized = functional.interpolate(cells, size=(MAP_SIZE, MAP_SIZE), mode="bilinear", align_corners=False)
    pooled = region.pool(resized)  # (25, 1, g, g)
    kernels = region.weigh.weight  # (channels, 1, g, g)
    return torch.einsum("cogh,kogh->ck", kernels, pooled).view(len(kernels), 1, CELLS, CELLS)


def _keep(slim: Any, group: Any, kept: Tensor) -> None:
    slim[0].load_state_dict(group[0].state_dict())
    slim[1].load_state_dict(group[1].state_dict())
    slim[3].weight.copy_(group[3].weight[kept])
    _copy_norm(slim[4], group[4], kept)


def _copy_norm(mine: nn.BatchNorm2d, other: nn.BatchNorm2d, kept: Tensor) -> None:
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(mine, name).copy_(getattr(other, name)[kept])


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _slim, argv)


def _slim(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Cut a slim MRP-Net from a trained one, as the start of a training.",
        f"{NAME} mrpnet.safetensors --out slim-start.safetensors",
    )
    parser.add_argument("checkpoint", type=Path, help="of mrpnet, variant R")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--width", type=positive, default=128, help="channels kept of each group (default 128)"
    )
    parser.add_argument(
        "--blocks",
        default=",".join(map(str, BLOCKS)),
        metavar="LIST",
        help="blocks kept of each of the seven stages (default: %(default)s; 2,3,3,4,4,5,2 are all)",
    )
    parser.add_argument("--activation", choices=("hardswish", "relu6"), help="of the stem (default: SiLU)")
    options = parser.parse_args(argv)
    network, info = load_checkpoint(options.checkpoint)
    if not isinstance(network, MRPNet):
        raise UsageError(f"{options.checkpoint} holds network {info.network!r}; slimming needs mrpnet")
    facts = network_facts(_SLIM)
    try:
        blocks = [int(number) for number in options.blocks.split(",")]
    except ValueError as error:
        raise UsageError(f"--blocks {options.blocks!r} is not like {','.join(map(str, BLOCKS))}") from error
    slim = slim_network(network.float(), options.width, options.activation, blocks)
    named = {"width": options.width, **({"activation": options.activation} if options.activation else {})}
    if tuple(blocks) != BLOCKS:
        named["blocks"] = blocks
    described = replace(
        info,
        network=_SLIM,
        options=named,
        input=to_dict(facts.input),
        alignment=facts.alignment.to_dict(),
        training=f"{info.training}; slimmed from mrpnet, not trained on",
        thresholds={},
        metrics={},
    )
    save_checkpoint(options.out, slim, described)
    print(f"{options.out}: {sum(one.numel() for one in slim.parameters())} parameters")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
