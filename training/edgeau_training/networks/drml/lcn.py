"""The LCN of the DRML poster: the ConvNet with conv5 to conv7 locally connected.

The poster prints 120 M parameters. Untied weights on DRML's own kernels and map sizes, which is how the poster reads, make
141 M; the authors' sizes are not published, so ours stays with the sizes that are.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from edgeau_training.networks.drml.locally_connected import LocallyConnected
from edgeau_training.networks.drml.network import DRML

__all__ = ["build"]


def build(labels: Sequence[str], mode: str = "faithful") -> DRML:
    """The zoo's builder of ``drml-lcn``; ``mode`` as in DRML."""
    upper = nn.Sequential(
        nn.Conv2d(32, 16, 8),
        nn.ReLU(),
        LocallyConnected(16, 16, size=73, kernel=8),
        nn.ReLU(),
        LocallyConnected(16, 16, size=66, kernel=6, stride=2),
        nn.ReLU(),
        LocallyConnected(16, 16, size=31, kernel=5),
        nn.ReLU(),
    )
    return DRML(len(labels), nn.ReLU(), upper, mode)
