"""The ConvNet of the DRML poster: DRML without its region layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from edgeau_training.networks.drml.network import DRML, shared_convolutions

__all__ = ["build"]


def build(labels: Sequence[str], mode: str = "faithful") -> DRML:
    """The zoo's builder of ``drml-convnet``: conv1 -> ReLU -> pool, and on as in DRML; ``mode`` as there."""
    return DRML(len(labels), nn.ReLU(), shared_convolutions(), mode)
