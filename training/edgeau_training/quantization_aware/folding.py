"""Batch norm folded into the convolution before it, in place: the weights that export quantizes are those that are trained.

What is left of a batch norm adds the bias: its statistics are 0 and 1 and its scale undoes its epsilon. So the checkpoint
keeps its form, and export folds once more and changes nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["fold_batch_norms", "follow_convolutions"]


def fold_batch_norms(network: nn.Module, images: Tensor) -> int:
    """Fold every batch norm that reads a convolution's output; the answers stay the same.

    Args:
        network: in evaluation mode.
        images: any that the network takes, ``(N, 3, H, W)``; they show which layer reads which.

    Returns:
        How many were folded.
    """
    pairs = follow_convolutions(network, images)
    for convolution, norm in pairs:
        _fold(convolution, norm)
    return len(pairs)


def follow_convolutions(network: nn.Module, images: Tensor) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each batch norm with the convolution whose output it reads, in the order of execution."""
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def keep(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            made[id(output)] = module, output  # kept alive, so that its id stays its own

    def read(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, nn.BatchNorm2d) and id(inputs[0]) in made:
            pairs.append((made[id(inputs[0])][0], module))

    handles = [module.register_forward_hook(keep) for module in network.modules()]
    handles += [module.register_forward_pre_hook(read) for module in network.modules()]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    return pairs


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        convolution.weight *= gain.reshape(-1, 1, 1, 1)
        shift = norm.bias - norm.running_mean * gain
        norm.bias.copy_(shift)
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0)
        norm.weight.fill_((1.0 + norm.eps) ** 0.5)
        if convolution.bias is not None:
            # Behind the fold the convolution's own bias would pass unscaled; it is part of the shift from now on.
            norm.bias.add_(convolution.bias * gain)
            convolution.bias.zero_()
    norm.weight.requires_grad_(False)
