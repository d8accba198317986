"""Subtraction of the training set's mean image, as Caffe networks expect it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError

__all__ = ["MeanImage"]


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
