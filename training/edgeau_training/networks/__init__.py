"""The network zoo: names map to builders, each in its own file, imported when asked for.

A builder takes the label set and its own keyword options and returns a module that maps float32 ``(N, 3, H, W)``
(normalised RGB) to logits float32 ``(N, C)``, in label order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from edgeau_training.by_name import build_by_name

__all__ = ["NETWORKS", "build_network"]

# name -> "module:function"
NETWORKS: dict[str, str] = {
    "drml": "edgeau_training.networks.drml.network:build",
    "drml-alexnet": "edgeau_training.networks.drml.alexnet:build",
    "drml-convnet": "edgeau_training.networks.drml.convnet:build",
    "drml-lcn": "edgeau_training.networks.drml.lcn:build",
    "mrpnet": "edgeau_training.networks.mrpnet:build",
    "mrpnet-lite1": "edgeau_training.networks.light_mrpnet:build_lite1",
    "mrpnet-mnv4m": "edgeau_training.networks.light_mrpnet:build_mnv4m",
    "mrpnet-mnv4s": "edgeau_training.networks.light_mrpnet:build_mnv4s",
    "mrpnet-slim": "edgeau_training.networks.slim_mrpnet:build",
    "siat-ir152": "edgeau_training.networks.siat.network:build_ir152",
    "siat-ir50": "edgeau_training.networks.siat.network:build_ir50",
    "siat-two-view": "edgeau_training.networks.logit_average:build",
    "ustc-attn": "edgeau_training.networks.ustc.network:build_attn",
    "ustc-fixed": "edgeau_training.networks.ustc.network:build_fixed",
}


def build_network(name: str, labels: Sequence[str], **options: Any) -> nn.Module:
    """An untrained network of the zoo.

    Args:
        name: a key of :data:`NETWORKS`.
        labels: AU labels in output order; their number is the number of logits.
        options: what that network's builder takes, e.g. ``mrp_variant="gap"``.

    Raises:
        UsageError: the name is not known, or an option does not fit; the known ones are listed.
    """
    network: nn.Module = build_by_name("network", NETWORKS, name, tuple(labels), **options)
    return network
