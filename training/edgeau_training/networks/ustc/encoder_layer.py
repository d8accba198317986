"""A transformer encoder layer (Vaswani et al. 2017, post-norm) in plain operations.

Equals :class:`torch.nn.TransformerEncoderLayer`, which without gradients calls one fused kernel that ONNX does not have.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["EncoderLayer"]


class EncoderLayer(nn.Module):
    """``(N, tokens, C)`` -> the same shape: self-attention, then two linear layers with ReLU, each added and normed.

    Args:
        channels: C, a multiple of ``heads``.
        heads: number of heads of the attention.
        hidden: width between the two linear layers.
        dropout: on attention weights, on the hidden layer and on both branches.
    """

    def __init__(self, channels: int, heads: int = 8, hidden: int = 2048, dropout: float = 0.1) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.attended = nn.Linear(channels, channels)
        self.widen = nn.Linear(channels, hidden)
        self.narrow = nn.Linear(hidden, channels)
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)
        nn.init.xavier_uniform_(self.query_key_value.weight)
        for layer in (self.query_key_value, self.attended):
            nn.init.zeros_(layer.bias)

    def attention(self, tokens: Tensor) -> Tensor:
        """Multi-head self-attention, ``(N, tokens, C)``."""
        count, length, channels = tokens.shape
        split = self.query_key_value(tokens).reshape(count, length, 3, self.heads, channels // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        rate = self.dropout.p if self.training else 0.0
        heads = functional.scaled_dot_product_attention(query, key, value, dropout_p=rate)
        return cast("Tensor", self.attended(heads.transpose(1, 2).reshape(count, length, channels)))

    def forward(self, tokens: Tensor) -> Tensor:
        """The tokens after the layer."""
        tokens = self.norm1(tokens + self.dropout(self.attention(tokens)))
        hidden = self.dropout(torch.relu(self.widen(tokens)))
        return cast("Tensor", self.norm2(tokens + self.dropout(self.narrow(hidden))))
