"""Initial weights of DRML's networks: the authors' Gaussian fillers, or He initialisation for inputs in -1..1."""

from __future__ import annotations

from torch import nn

from edgeau.errors import UsageError
from edgeau_training.networks.drml.layers import LocallyConnected

__all__ = ["MODES", "check_mode", "fill"]

# faithful: BGR 0..255 minus the mean image, Gaussian fillers, as released. modern: RGB in -1..1, He initialisation, ours.
# They are not mixed: fillers of 0.01 barely train on inputs in -1..1.
MODES = ("faithful", "modern")


def check_mode(mode: str) -> str:
    """The mode itself.

    Raises:
        UsageError: it is not known.
    """
    if mode not in MODES:
        raise UsageError(f"mode {mode!r} is not known; known modes of DRML: {', '.join(MODES)}")
    return mode


def fill(network: nn.Module, mode: str) -> None:
    """Fills weights and biases in place.

    faithful (released prototxt): weights N(0, 0.01), of fully connected layers but the output N(0, 0.005); biases 1, of the
    first convolution and the output 0. modern: He-normal over the fan-in, output N(0, 0.01), biases 0.
    """
    kinds = (nn.Conv2d, nn.Linear, LocallyConnected)
    layers = [module for module in network.modules() if isinstance(module, kinds)]
    for layer in layers:
        last = layer is layers[-1]
        nn.init.normal_(
            layer.weight, std=_modern(layer, last) if mode == "modern" else _faithful(layer, last)
        )
        assert layer.bias is not None
        nn.init.constant_(layer.bias, 0.0 if mode == "modern" or last or layer is layers[0] else 1.0)


def _faithful(layer: nn.Module, last: bool) -> float:
    return 0.005 if isinstance(layer, nn.Linear) and not last else 0.01


def _modern(layer: nn.Conv2d | nn.Linear | LocallyConnected, last: bool) -> float:
    if last:
        return 0.01
    fan_in = layer.fan_in if isinstance(layer, LocallyConnected) else layer.weight[0].numel()
    return float((2.0 / fan_in) ** 0.5)
