"""Squeeze-and-excitation taken out of a trained stem: each channel keeps its mean gate, as part of the weights behind it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError

__all__ = ["without_gates"]


def without_gates(network: nn.Module, batches: Iterable[Tensor]) -> int:
    """Replace every squeeze-and-excitation by the mean of its gates over some pictures, in place.

    Args:
        network: with timm's ``SqueezeExcite`` blocks, in evaluation mode.
        batches: normalised images, ``(N, 3, H, W)`` each.

    Returns:
        How many were taken out.

    Raises:
        UsageError: a gate is not followed by a 1x1 convolution that can take its mean.
    """
    blocks = {
        name: module
        for name, module in network.named_modules()
        if hasattr(module, "se") and hasattr(module.se, "gate")
    }
    means = _mean_gates(blocks, network, batches)
    for name, block in blocks.items():
        _absorb(name, block, means[name])
    return len(blocks)


def _mean_gates(
    blocks: dict[str, nn.Module], network: nn.Module, batches: Iterable[Tensor]
) -> dict[str, Tensor]:
    sums: dict[str, Tensor] = {}
    counts = dict.fromkeys(blocks, 0)
    handles = []
    for name, block in blocks.items():

        def note(_: nn.Module, __: tuple[Tensor, ...], gates: Tensor, name: str = name) -> None:
            sums[name] = sums.get(name, torch.zeros(gates.shape[1])) + gates.sum(dim=0).flatten()
            counts[name] += len(gates)

        handles.append(block.se.gate.register_forward_hook(note))  # type: ignore[union-attr]
    with torch.no_grad():
        for images in batches:
            network(images)
    for handle in handles:
        handle.remove()
    return {name: total / counts[name] for name, total in sums.items()}


def _absorb(name: str, block: nn.Module, gates: Tensor) -> None:
    convolution = next(
        (
            getattr(block, attribute)
            for attribute in ("conv_pwl", "conv_pw")
            if _reads(block, attribute, gates)
        ),
        None,
    )
    if convolution is None:
        raise UsageError(
            f"{name} has no 1x1 convolution behind its squeeze-excite, so its gates cannot be taken out"
        )
    with torch.no_grad():
        convolution.weight *= gates.reshape(1, -1, 1, 1)
    block.se = nn.Identity()


def _reads(block: nn.Module, attribute: str, gates: Tensor) -> bool:
    convolution = getattr(block, attribute, None)
    return isinstance(convolution, nn.Conv2d) and convolution.weight.shape[1] == len(gates)
