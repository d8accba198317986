"""Places where a network is rounded: those in which the Q/DQ files of export round it.

Every input of a convolution or linear layer and every weight; a layer's output in front of a SiLU, hard swish or other
activation that runs in float between two integer tensors, and behind a ReLU, which is fused; the sums of residual blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edgeau_training.quantization_aware.fake_quantization import ActivationRounding, WeightRounding
from edgeau_training.quantization_aware.folding import follow_convolutions

__all__ = ["attach", "detach", "watch_ranges"]

_FUSED = (nn.ReLU, nn.ReLU6, nn.Identity)


def attach(network: nn.Module, images: Tensor, weight_bits: int) -> None:
    """Put rounding into a network with folded batch norms, in place; it watches until :func:`watch_ranges` is over.

    Args:
        network: in evaluation mode.
        images: any that it takes, to see which layer reads which.
        weight_bits: 7 or 8.
    """
    normed = {id(convolution) for convolution, _ in follow_convolutions(network, images)}
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            parametrize.register_parametrization(module, "weight", WeightRounding(weight_bits))
            _round_input(module)
            if isinstance(module, nn.Conv2d) and id(module) not in normed:
                _round_output(module)
        activation = getattr(module, "act", None)
        if isinstance(module, nn.BatchNorm2d) and isinstance(activation, nn.Module):
            module.act = _with_rounding(activation)
        if getattr(module, "has_skip", False):
            _round_output(module)


def detach(network: nn.Module) -> None:
    """Take the rounding of weights out again: the trained float weights stay, under their old names."""
    for module in network.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)


@contextmanager
def watch_ranges(network: nn.Module) -> Iterator[None]:
    """While this is open, activations note their ranges; afterwards they are rounded."""
    for module in _roundings(network):
        module.watching = True
    with torch.no_grad():
        yield
    for module in _roundings(network):
        module.watching = False


def _roundings(network: nn.Module) -> list[ActivationRounding]:
    return [module for module in network.modules() if isinstance(module, ActivationRounding)]


def _with_rounding(activation: nn.Module) -> nn.Module:
    if isinstance(activation, _FUSED):
        return nn.Sequential(activation, ActivationRounding())
    return nn.Sequential(ActivationRounding(), activation)


def _round_input(module: nn.Module) -> None:
    rounding = ActivationRounding()
    module.add_module("input_rounding", rounding)
    module.register_forward_pre_hook(lambda _, inputs: (rounding(inputs[0]), *inputs[1:]))


def _round_output(module: nn.Module) -> None:
    rounding = ActivationRounding()
    module.add_module("output_rounding", rounding)
    module.register_forward_hook(lambda _, __, output: rounding(output))
