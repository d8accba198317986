"""Local response normalisation across channels (Krizhevsky et al. 2012, as in Caffe)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LocalResponseNorm"]


class LocalResponseNorm(nn.Module):
    """``x / (1 + alpha * mean of x^2 over 5 neighbouring channels) ^ beta``: ``(N, C, H, W)`` -> the same shape.

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
        squares = maps.square().flatten(2).unsqueeze(1)
        mean = functional.avg_pool2d(squares, (self.size, 1), 1, (self.size // 2, 0)).squeeze(1)
        return maps / (1 + self.alpha * mean.reshape(maps.shape)).pow(self.beta)
