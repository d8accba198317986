"""Layers of the DRML family that torch lacks or that the ONNX exporter refuses in torch's form."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgeau.errors import UsageError
from edgeau_training.networks.full_precision import full_precision

__all__ = ["LocalResponseNorm", "LocallyConnected", "MeanImage", "PlainBatchNorm"]


class MeanImage(nn.Module):
    """``(N, 3, S, S)`` minus a mean image that travels with the weights, so that an exported network needs no second file.

    Until :meth:`set` it is mid-grey. The authors subtract the mean at the place of a random training crop; here it is
    always its centre (ours): at most 15 pixels of shift of a blurred face.

    Args:
        size: S, pixels.
    """

    mean: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((3, size, size), 128.0))

    def set(self, mean: Tensor) -> None:
        """Takes a mean image ``(3, H, W)``, 0..255, in the network's colour order; its central S x S pixels are kept.

        Raises:
            UsageError: it is smaller than the input.
        """
        size = self.mean.shape[-1]
        if mean.ndim != 3 or len(mean) != 3 or min(mean.shape[1:]) < size:
            raise UsageError(
                f"a mean image must be (3, {size} or more, {size} or more), got {tuple(mean.shape)}"
            )
        top, left = ((side - size) // 2 for side in mean.shape[1:])
        self.mean.copy_(mean[:, top : top + size, left : left + size])

    def forward(self, images: Tensor) -> Tensor:
        """The images without their mean."""
        return images - self.mean


class LocalResponseNorm(nn.Module):
    """``x / (1 + alpha * mean of x^2 over 5 neighbouring channels) ^ beta``: ``(N, C, H, W)`` -> the same shape.

    Krizhevsky et al. 2012, as in Caffe.

    Equals :class:`torch.nn.LocalResponseNorm`, which averages with a 3-D pooling that small engines lack; here it is a
    2-D one over the channel axis.

    Args:
        size: number of neighbouring channels, odd.
        alpha: weight of the mean of squares.
        beta: exponent.
    """

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta

    def forward(self, maps: Tensor) -> Tensor:
        """The normalised map."""
        with full_precision(maps):  # squares of 256 and more are infinite in float16
            wide = maps.float()
            squares = wide.square().flatten(2).unsqueeze(1)
            mean = functional.avg_pool2d(squares, (self.size, 1), 1, (self.size // 2, 0)).squeeze(1)
            return (wide / (1 + self.alpha * mean.reshape(wide.shape)).pow(self.beta)).to(maps.dtype)


class PlainBatchNorm(nn.BatchNorm2d):
    """``(N, C, H, W)`` -> the same shape. In evaluation it uses the running statistics.

    Batch normalisation without scale and shift, as the first Caffe releases had it.

    Equals :class:`torch.nn.BatchNorm2d` with ``affine=False``, which the ONNX exporter refuses behind a reshape with a
    dynamic batch: it asks the tensor for its channels to make up a scale. Here the ones and zeros are given.

    Args:
        channels: C.
    """

    ones: Tensor
    zeros: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=False)
        self.register_buffer("ones", torch.ones(channels), persistent=False)
        self.register_buffer("zeros", torch.zeros(channels), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """The normalised map."""
        assert self.momentum is not None
        return functional.batch_norm(
            maps,
            self.running_mean,
            self.running_var,
            self.ones,
            self.zeros,
            self.training,
            self.momentum,
            self.eps,
        )


class LocallyConnected(nn.Module):
    """An untied convolution without padding: ``(N, in, S, S)`` -> ``(N, out, T, T)``, ``T = (S - kernel) // stride + 1``.

    The weights are not shared between positions (the poster's LCN).

    Args:
        in_channels: maps of the input.
        out_channels: maps of the output.
        size: S, pixels; it fixes the number of positions and with it the weights.
        kernel: window side, pixels.
        stride: stride of the window, pixels.
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
