"""USTC's AU network: IResNet-100, local region perception, relation learning, feature fusion.

Yu et al., "Local Region Perception and Relationship Learning Combined with Feature Fusion for Facial Action Unit Detection",
CVPR Workshops 2023. The paper leaves out many numbers; those chosen here are marked as ours in the file of each part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from edgeau_training.networks.ustc.facial_graph import FacialGraph, NodeFeatures
from edgeau_training.networks.ustc.fusion import AttentionShare, FixedShare
from edgeau_training.networks.ustc.iresnet import BLOCKS_100, CHANNELS, IResNet
from edgeau_training.networks.ustc.local_region_perception import LocalRegionPerception

__all__ = [
    "USTCBackbone",
    "USTCNetwork",
    "USTCRelations",
    "build_attn",
    "build_backbone",
    "build_fixed",
    "build_relations",
]


class _AUBranch(nn.Module):
    """The backbone's feature map, the AUs' regions and relations, and the classifier that reads them.

    Args:
        outputs: number of AUs C.
        perception: from the backbone's feature map to a map of the same shape.
        neighbours: edges of each AU in the graph.
        blocks: blocks of the backbone.
        size: input side, pixels, a multiple of 16.

    Raises:
        UsageError: a number does not fit.
    """

    def __init__(
        self, outputs: int, perception: nn.Module, neighbours: int, blocks: Sequence[int], size: int
    ) -> None:
        super().__init__()
        self.backbone = IResNet(blocks, size)
        self.perception = perception
        self.node_features = NodeFeatures(CHANNELS, outputs)
        self.graph = FacialGraph(CHANNELS, outputs, neighbours)
        # All nodes together decide each AU (ours: the text says stacked, then fully connected).
        self.au_classifier = nn.Linear(outputs * CHANNELS, outputs)

    def nodes(self, maps: Tensor) -> Tensor:
        """The AUs' vectors after the graph, ``(N, C, 512)``, from the feature map."""
        return cast("Tensor", self.graph(self.node_features(self.perception(maps))))

    def from_aus(self, nodes: Tensor) -> Tensor:
        """The logits of this branch, ``(N, C)``, from its nodes ``(N, C, 512)``."""
        return cast("Tensor", self.au_classifier(nodes.flatten(1)))


class USTCNetwork(_AUBranch):
    """``(N, 3, 112, 112)``, RGB in -1..1 -> logits ``(N, C)``.

    Args:
        outputs: number of AUs C.
        fusion: gives the share of the AU branch from the backbone's token and the AUs' nodes.
        lanets: attention networks of the region perception.
        reduction: their reduction.
        neighbours: edges of each AU in the graph.
        blocks: blocks of the backbone; the default is IResNet-100.
        size: input side, pixels, a multiple of 16.

    Raises:
        UsageError: a number does not fit.
    """

    def __init__(
        self,
        outputs: int,
        fusion: FixedShare | AttentionShare,
        lanets: int = 5,
        reduction: int = 16,
        neighbours: int = 4,
        blocks: Sequence[int] = BLOCKS_100,
        size: int = 112,
    ) -> None:
        perception = LocalRegionPerception(CHANNELS, lanets, reduction)
        super().__init__(outputs, perception, neighbours, blocks, size)
        self.backbone_classifier = nn.Linear(CHANNELS, outputs)
        self.fusion = fusion

    def forward(self, images: Tensor) -> Tensor:
        """The fused logits, ``(N, C)``."""
        maps = self.backbone.maps(images)
        token, nodes = self.backbone.embedding(maps), self.nodes(maps)
        share = self.fusion(token, nodes)
        fused = share * self.from_aus(nodes) + (1 - share) * self.backbone_classifier(token)
        return cast("Tensor", fused)


class USTCBackbone(nn.Module):
    """The backbone branch alone, as in the first three rows of the paper's ablation: images -> logits ``(N, C)``.

    Args:
        outputs: number of AUs C.
        blocks: blocks of the backbone; the default is IResNet-100.
        size: input side, pixels, a multiple of 16.

    Raises:
        UsageError: a number does not fit.
    """

    def __init__(self, outputs: int, blocks: Sequence[int] = BLOCKS_100, size: int = 112) -> None:
        super().__init__()
        self.backbone = IResNet(blocks, size)
        self.backbone_classifier = nn.Linear(CHANNELS, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """The logits, ``(N, C)``."""
        return cast("Tensor", self.backbone_classifier(self.backbone(images)))


class USTCRelations(_AUBranch):
    """The AU branch alone, as in the rows of the paper's ablation before the fusion: images -> logits ``(N, C)``.

    Args:
        outputs: number of AUs C.
        lanets: as for :class:`USTCNetwork`, and the following; 0 leaves the region perception out: the relations are learnt
            on the whole map.
        reduction: reduction of the attention networks.
        neighbours: edges of each AU in the graph.
        blocks: blocks of the backbone; the default is IResNet-100.
        size: input side, pixels, a multiple of 16.
    """

    def __init__(
        self,
        outputs: int,
        lanets: int = 5,
        reduction: int = 16,
        neighbours: int = 4,
        blocks: Sequence[int] = BLOCKS_100,
        size: int = 112,
    ) -> None:
        perception = LocalRegionPerception(CHANNELS, lanets, reduction) if lanets else nn.Identity()
        super().__init__(outputs, perception, neighbours, blocks, size)
        # Nothing reads the embedding of this branch: its parameters would only be carried along.
        del self.backbone.fc, self.backbone.features

    def forward(self, images: Tensor) -> Tensor:
        """The logits, ``(N, C)``."""
        return self.from_aus(self.nodes(self.backbone.maps(images)))


def build_backbone(
    labels: Sequence[str], blocks: Sequence[int] = BLOCKS_100, size: int = 112
) -> USTCBackbone:
    """The zoo's builder of ``ustc-backbone``."""
    return USTCBackbone(len(labels), blocks, size)


def build_relations(
    labels: Sequence[str],
    lanets: int = 5,
    reduction: int = 16,
    neighbours: int = 4,
    blocks: Sequence[int] = BLOCKS_100,
    size: int = 112,
) -> USTCRelations:
    """The zoo's builder of ``ustc-relations``; ``lanets=0`` is without local region perception."""
    return USTCRelations(len(labels), lanets, reduction, neighbours, blocks, size)


def build_fixed(
    labels: Sequence[str],
    share: float = 0.5,
    lanets: int = 5,
    reduction: int = 16,
    neighbours: int = 4,
    blocks: Sequence[int] = BLOCKS_100,
    size: int = 112,
) -> USTCNetwork:
    """The zoo's builder of ``ustc-fixed``; fewer ``blocks`` make it small enough to try things on a CPU."""
    return USTCNetwork(len(labels), FixedShare(share), lanets, reduction, neighbours, blocks, size)


def build_attn(
    labels: Sequence[str],
    share_of_each: bool = False,
    lanets: int = 5,
    reduction: int = 16,
    neighbours: int = 4,
    blocks: Sequence[int] = BLOCKS_100,
    size: int = 112,
) -> USTCNetwork:
    """The zoo's builder of ``ustc-attn``; ``share_of_each`` learns a share for each AU instead of one a face."""
    fusion = AttentionShare(CHANNELS, len(labels) if share_of_each else 1)
    return USTCNetwork(len(labels), fusion, lanets, reduction, neighbours, blocks, size)
