"""Rounding as the INT8 files have it, with a gradient that passes straight through.

Activations: uint8, asymmetric, ``scale = (high - low) / 255``, the range holding 0 exactly. Weights: int8, symmetric, one
scale an output channel: 8 bits are -127..127 with ``scale = max|w| / 127``, 7 bits -64..64 with ``scale = max|w| / 64``,
which ONNX Runtime calls reduced range.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError

__all__ = ["ActivationRounding", "WeightRounding"]

_LEVELS = 255
_LARGEST = {7: 64, 8: 127}
_LEAST = 1e-8  # a tensor that is zero throughout still needs a scale


class ActivationRounding(nn.Module):
    """Rounds a tensor of any shape; first it watches for its range.

    The range is the mean over crops of their extremes, so that one broken crop does not widen it twentyfold.

    Attributes:
        watching: note the range and pass everything through.
    """

    low: Tensor
    high: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.watching = True
        # Not persistent: a checkpoint holds the network alone.
        for name in ("low", "high", "seen"):
            self.register_buffer(name, torch.zeros(()), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """The values, rounded once the range is known."""
        if self.watching:
            self._watch(values.detach())
            return values
        low, high = self.low.clamp(max=0.0), self.high.clamp(min=0.0)
        scale = ((high - low) / _LEVELS).clamp(min=_LEAST)
        zero_point = torch.round(-low / scale).to(torch.int32)
        return torch.fake_quantize_per_tensor_affine(values, scale, zero_point, 0, _LEVELS)

    def _watch(self, values: Tensor) -> None:
        flat = values.flatten(1)
        self.seen += len(flat)
        share = len(flat) / self.seen
        self.low += (flat.amin(dim=1).mean() - self.low) * share
        self.high += (flat.amax(dim=1).mean() - self.high) * share


class WeightRounding(nn.Module):
    """A parametrization that rounds weights ``(O, ...)``, one scale for each of the O outputs.

    Args:
        bits: 7 or 8.

    Raises:
        UsageError: another number.
    """

    def __init__(self, bits: int) -> None:
        super().__init__()
        if bits not in _LARGEST:
            raise UsageError(f"weights of {bits} bits are not known; 7 and 8 are")
        self.largest = _LARGEST[bits]

    def forward(self, weights: Tensor) -> Tensor:
        """The rounded weights."""
        reach = weights.detach().flatten(1).abs().amax(dim=1)
        scale = (reach / self.largest).clamp(min=_LEAST)
        zero_points = torch.zeros_like(scale, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(
            weights, scale, zero_points, 0, -self.largest, self.largest
        )
