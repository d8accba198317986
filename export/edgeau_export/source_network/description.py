"""What a bundle says about its network, whatever it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edgeau.bundle.manifest import Fusion, InputSpec, NetworkInfo
    from edgeau.faces.alignment import Alignment

__all__ = ["Description"]


@dataclass(frozen=True)
class Description:
    """The part of a manifest that does not depend on the artifacts.

    Attributes:
        network: which network.
        labels: AU labels in output order.
        input: what it wants.
        alignment: the crop template.
        thresholds: on the network's own probability per label.
        licences: of the weights, and notices.
        fused_thresholds: on the fused probability per label, or None.
        experimental: labels without evidence on real faces.
        fusion: how network and landmarks are combined, or None.
        landmark_model: file of the landmark model, or None.
    """

    network: NetworkInfo
    labels: tuple[str, ...]
    input: InputSpec
    alignment: Alignment
    thresholds: dict[str, float]
    licences: tuple[str, ...] = ()
    fused_thresholds: dict[str, float] | None = None
    experimental: tuple[str, ...] = ()
    fusion: Fusion | None = None
    landmark_model: Path | None = None
