"""Batch normalisation without scale and shift, as the first Caffe releases had it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PlainBatchNorm"]


class PlainBatchNorm(nn.BatchNorm2d):
    """``(N, C, H, W)`` -> the same shape. In evaluation it uses the running statistics.

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
