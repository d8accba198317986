"""A convolution whose weights are not shared between positions (the poster's LCN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LocallyConnected"]


class LocallyConnected(nn.Module):
    """An untied convolution without padding: ``(N, in, S, S)`` -> ``(N, out, T, T)``, ``T = (S - kernel) // stride + 1``.

    Args:
        in_channels: maps of the input.
        out_channels: maps of the output.
        size: S, pixels; it fixes the number of positions and with it the weights.
        kernel: window side, pixels.
        stride: of the window, pixels.
    """

    def __init__(self, in_channels: int, out_channels: int, size: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride
        self.side = (size - kernel) // stride + 1
        self.fan_in = in_channels * kernel * kernel
        # Position, then what the window holds (channel, row, column), then output channel.
        self.weight = nn.Parameter(torch.empty(self.side**2, self.fan_in, out_channels))
        self.bias = nn.Parameter(torch.zeros(self.side**2, 1, out_channels))
        nn.init.normal_(self.weight, std=(2.0 / self.fan_in) ** 0.5)

    def forward(self, maps: Tensor) -> Tensor:
        """The output map."""
        answers = self.windows(maps) @ self.weight + self.bias
        return answers.permute(1, 2, 0).reshape(-1, answers.shape[2], self.side, self.side)

    def windows(self, maps: Tensor) -> Tensor:
        """``(T * T, N, in * kernel * kernel)``: what each position sees. Plain slices, which every engine knows."""
        reach = self.stride * (self.side - 1) + 1
        steps = range(self.kernel)
        seen = [
            maps[:, :, y : y + reach : self.stride, x : x + reach : self.stride] for y in steps for x in steps
        ]
        return torch.stack(seen, dim=2).flatten(1, 2).flatten(2).permute(2, 0, 1)
