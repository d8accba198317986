"""MRP heads on stems that small boards run well (ours).

EfficientNet-B1's SiLU and squeeze-excite cost more than its arithmetic on a small processor, and lose most under INT8; these
stems have neither. Each gives 1280 maps of 7x7 from 224 pixels, so the MRP head is B1's, group for group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgeau_training.networks.initialisation import quieten_residuals
from edgeau_training.networks.mrpnet import MRPNet

__all__ = ["build_lite1", "build_mnv4m", "build_mnv4s"]

# timm also has "tf_" twins of these, which pad as TensorFlow does: hundreds of Pad nodes once exported.
_LITE1 = "efficientnet_lite1"
# MobileNetV4's last 1x1 convolution (960 -> 1280) stands behind its global pool; as a stem it runs at all 49 positions,
# so that its pretrained weights stay in use.
_MNV4_SMALL = "mobilenetv4_conv_small"
_MNV4_MEDIUM = "mobilenetv4_conv_medium"


def build_lite1(
    labels: Sequence[str],
    mrp_variant: str = "R",
    dropout: float = 0.2,
    drop_path: float = 0.2,
    activation: str | None = None,
    squeeze_excite: bool = True,
) -> MRPNet:
    """The zoo's builder of ``mrpnet-lite1``, on EfficientNet-Lite1; options as of ``mrpnet``, but the stem."""
    return MRPNet(len(labels), mrp_variant, _LITE1, dropout, drop_path, activation, squeeze_excite)


def build_mnv4s(
    labels: Sequence[str],
    mrp_variant: str = "R",
    dropout: float = 0.2,
    drop_path: float = 0.2,
    activation: str | None = None,
    squeeze_excite: bool = True,
) -> MRPNet:
    """The zoo's builder of ``mrpnet-mnv4s``, on MobileNetV4-conv-small; options as of ``mrpnet``, but the stem."""
    return _quietened(
        MRPNet(len(labels), mrp_variant, _MNV4_SMALL, dropout, drop_path, activation, squeeze_excite)
    )


def build_mnv4m(
    labels: Sequence[str],
    mrp_variant: str = "R",
    dropout: float = 0.2,
    drop_path: float = 0.2,
    activation: str | None = None,
    squeeze_excite: bool = True,
) -> MRPNet:
    """The zoo's builder of ``mrpnet-mnv4m``, on MobileNetV4-conv-medium; options as of ``mrpnet``, but the stem."""
    return _quietened(
        MRPNet(len(labels), mrp_variant, _MNV4_MEDIUM, dropout, drop_path, activation, squeeze_excite)
    )


def _quietened(network: MRPNet) -> MRPNet:
    residuals: list[Any] = [block for block in network.stem.modules() if getattr(block, "has_skip", False)]
    # The medium stem's logits would start in the ten thousands.
    quieten_residuals([block.pw_proj.bn for block in residuals])
    return network
