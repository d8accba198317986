"""Steps that a half-precision run computes in float32 all the same."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

__all__ = ["full_precision"]


def full_precision(tensor: Tensor) -> AbstractContextManager[object]:
    """A context without autocast on the tensor's device, for steps whose outcome depends on small differences or large squares.

    Which neighbours a node has hangs on the order of dot products: in bfloat16 a third of the nodes of the facial graph have
    ties and more than k of them. Squares of 256 and more overflow in float16. Whoever uses it converts with ``float()``.
    """
    kind = tensor.device.type
    # Entered only where it changes something, so that an exported graph has no trace of it.
    if kind == "meta" or not torch.is_autocast_enabled(kind):
        return nullcontext()
    return torch.autocast(kind, enabled=False)
