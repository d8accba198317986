"""The network zoo: each network in its own file, listed in :mod:`edgeau_training.networks.catalogue`, built when asked for.

A builder takes the label set and its own keyword options and returns a module that maps float32 ``(N, 3, H, W)``
(normalised RGB) to logits float32 ``(N, C)``, in label order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from edgeau_training.by_name import build_by_name
from edgeau_training.networks.catalogue import CATALOGUE

__all__ = ["build_network"]


def build_network(name: str, labels: Sequence[str], **options: Any) -> nn.Module:
    """An untrained network of the zoo.

    Args:
        name: a key of :data:`edgeau_training.networks.catalogue.CATALOGUE`.
        labels: AU labels in output order; their number is the number of logits.
        options: what that network's builder takes, e.g. ``mrp_variant="gap"``.

    Raises:
        UsageError: the name is not known, or an option does not fit; the known ones are listed.
    """
    builders = {known: facts.builder for known, facts in CATALOGUE.items()}
    network: nn.Module = build_by_name("network", builders, name, tuple(labels), **options)
    return network
