"""The zoo: what is known about a network before it is built, and who builds it.

Checkpoints and bundles carry these as data. Numbers that no paper states are marked in the file of the part they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from edgeau.action_units.names import BP4D
from edgeau.bundle.manifest import InputSpec
from edgeau.errors import UsageError
from edgeau.faces.alignment import Alignment
from edgeau_training.datasets.aff_wild2 import LABELS as AFF_WILD2
from edgeau_training.datasets.aligners import Aligner, ArcFaceTemplate
from edgeau_training.datasets.emotionet import LABELS as EMOTIONET

__all__ = ["CATALOGUE", "NetworkFacts", "network_facts"]

_MRP_NET = (
    "MRP-Net: A Light Multiple Region Perception Neural Network for Multi-label AU Detection, ICPR 2020"
)
_DRML = "Zhao, Chu & Zhang: Deep Region and Multi-label Learning for Facial Action Unit Detection, CVPR 2016"
_SIAT = (
    "Ji et al.: Multiple Transfer Learning and Multi-label Balanced Training Strategies for Facial AU Detection in the Wild, "
    "CVPR Workshops 2020"
)
_USTC = (
    "Yu et al.: Local Region Perception and Relationship Learning Combined with Feature Fusion for Facial Action Unit "
    "Detection, CVPR Workshops 2023"
)

_IMAGENET = InputSpec()
_HALVES = (0.5, 0.5, 0.5)


def _symmetric(size: int) -> InputSpec:
    """RGB in -1..1."""
    return InputSpec(size=(size, size), mean=_HALVES, std=_HALVES)


def _caffe(size: int) -> InputSpec:
    """BGR in 0..255; the mean image is subtracted by the network."""
    return InputSpec(size=(size, size), color="BGR", mean=(0.0, 0.0, 0.0), std=(1 / 255, 1 / 255, 1 / 255))


@dataclass(frozen=True)
class NetworkFacts:
    """Facts about a network.

    Attributes:
        builder: ``"module:function"`` that builds it, imported when asked for.
        title: for people; says when a network is a reconstruction, and must be shown as it is.
        paper: where it comes from; "" where it is ours.
        fidelity: how far it is the published one, one sentence.
        labels: the label set of its paper, or of the data it is compared on.
        input: size, colour order and normalisation.
        alignment: how a face becomes its crop.
        backbone: name of the submodule that a pretrained file fills; None where training starts from nothing.
        pretrained: which files fit it.
    """

    builder: str
    title: str
    paper: str
    fidelity: str
    labels: tuple[str, ...]
    input: InputSpec
    alignment: Aligner
    backbone: str | None = None
    pretrained: str = ""


_MRP = NetworkFacts(
    builder="edgeau_training.networks.mrpnet:build",
    title="MRP-Net (reconstruction)",
    paper=_MRP_NET,
    fidelity="Stem, four groups and the 1024-vector are published; what happens inside the groups is reconstructed.",
    labels=BP4D,
    input=_IMAGENET,
    alignment=Alignment(),
    backbone="stem",
    pretrained="timm efficientnet_b1 with ImageNet statistics, such as efficientnet_b1.ft_in1k",
)
_LIGHT_MRP = replace(_MRP, paper="", fidelity="Ours: the reconstructed MRP head on a lighter stem.")
_SLIM_SIZE, _SLIM_CANVAS = 144, 165  # of 224 of 256, the same view of a face
_DRML_NETWORK = NetworkFacts(
    builder="edgeau_training.networks.drml.network:build",
    title="DRML",
    paper=_DRML,
    fidelity="Layers, fillers and loss are the authors' released ones; the aligner is ours.",
    labels=BP4D,
    input=_caffe(170),
    alignment=Alignment(size=170, canvas=200),
)
_IR = NetworkFacts(
    builder="edgeau_training.networks.siat.network:build_ir152",
    title="SIAT-NTU (one view, IR-152)",
    paper=_SIAT,
    fidelity="Backbone and classifier are the authors'; the exact alignment template is ours.",
    labels=EMOTIONET,
    input=_symmetric(224),
    alignment=ArcFaceTemplate(224),
    backbone="backbone",
    pretrained="face.evoLVe IR-152: M_face from MS-Celeb-1M, M_emotion from AffectNet",
)
_RESNET = replace(
    _IR,
    builder="edgeau_training.networks.siat.resnet:build_resnet18",
    title="SIAT-NTU's backbone study: ResNet-18 without pooling",
    fidelity="The paper removes the pooling layer and says no more; one linear layer on the whole map is our reading.",
    input=_IMAGENET,
    pretrained="timm resnet18 with ImageNet statistics, such as resnet18.tv_in1k",
)
_USTC_NETWORK = NetworkFacts(
    builder="edgeau_training.networks.ustc.network:build_fixed",
    title="USTC (fixed fusion)",
    paper=_USTC,
    fidelity="The modules are published; their number, widths, k and the fusion weights are not and are ours.",
    labels=AFF_WILD2,
    input=_symmetric(112),
    alignment=ArcFaceTemplate(112),
    backbone="backbone",
    pretrained="InsightFace iresnet100 from Glint360K",
)

# name in the zoo -> facts at its default options
CATALOGUE: dict[str, NetworkFacts] = {
    "drml": _DRML_NETWORK,
    "drml-alexnet": replace(
        _DRML_NETWORK,
        builder="edgeau_training.networks.drml.alexnet:build",
        title="AlexNet (the DRML poster's)",
        fidelity="The poster gives no layers; Caffe's form fits its parameter count.",
        input=_caffe(227),
        alignment=Alignment(size=227, canvas=256),
    ),
    "drml-convnet": replace(
        _DRML_NETWORK,
        builder="edgeau_training.networks.drml.network:build_convnet",
        title="ConvNet (the DRML poster's)",
        fidelity="DRML without patches and identity, as the poster says.",
    ),
    "drml-lcn": replace(
        _DRML_NETWORK,
        builder="edgeau_training.networks.drml.network:build_lcn",
        title="LCN (the DRML poster's, assumed sizes)",
        fidelity="The poster prints 120 M parameters without layers; on DRML's sizes it has more.",
    ),
    "mrpnet": _MRP,
    "mrpnet-lite1": replace(
        _LIGHT_MRP,
        builder="edgeau_training.networks.light_mrpnet:build_lite1",
        title="MRP head on EfficientNet-Lite1",
        pretrained="timm tf_efficientnet_lite1 (same tensors, trained with other padding; retrain at our mean and std)",
    ),
    "mrpnet-mnv4m": replace(
        _LIGHT_MRP,
        builder="edgeau_training.networks.light_mrpnet:build_mnv4m",
        title="MRP head on MobileNetV4-conv-medium",
        pretrained="timm mobilenetv4_conv_medium, such as mobilenetv4_conv_medium.e500_r224_in1k",
    ),
    "mrpnet-mnv4s": replace(
        _LIGHT_MRP,
        builder="edgeau_training.networks.light_mrpnet:build_mnv4s",
        title="MRP head on MobileNetV4-conv-small",
        pretrained="timm mobilenetv4_conv_small, such as mobilenetv4_conv_small.e2400_r224_in1k",
    ),
    "mrpnet-slim": replace(
        _MRP,
        builder="edgeau_training.networks.slim_mrpnet:build",
        paper="",
        title="Slim MRP head on a shortened EfficientNet-B1",
        fidelity="Ours: the reconstructed network with fewer blocks and channels, at 144 pixels.",
        input=InputSpec(size=(_SLIM_SIZE, _SLIM_SIZE)),
        alignment=Alignment(size=_SLIM_SIZE, canvas=_SLIM_CANVAS),
    ),
    "siat-ir152": _IR,
    "siat-ir50": replace(
        _IR,
        builder="edgeau_training.networks.siat.network:build_ir50",
        title="SIAT-NTU (one view, IR-50)",
        fidelity="In the authors' code, not in the paper; the exact alignment template is ours.",
        pretrained="face.evoLVe IR-50: M_face from MS-Celeb-1M, M_emotion from AffectNet",
    ),
    "siat-resnet18": _RESNET,
    "siat-resnet50": replace(
        _RESNET,
        builder="edgeau_training.networks.siat.resnet:build_resnet50",
        title="SIAT-NTU's backbone study: ResNet-50 without pooling",
        pretrained="timm resnet50 with ImageNet statistics, such as resnet50.tv_in1k",
    ),
    "siat-resnet152": replace(
        _RESNET,
        builder="edgeau_training.networks.siat.resnet:build_resnet152",
        title="SIAT-NTU's backbone study: ResNet-152 without pooling",
        pretrained="timm resnet152 with ImageNet statistics, such as resnet152.tv_in1k",
    ),
    "siat-two-view": replace(
        _IR,
        builder="edgeau_training.networks.logit_average:build",
        title="SIAT-NTU (two views)",
        fidelity="Averages logits, as the authors' final code does; the paper's text averages probabilities.",
        backbone=None,
        pretrained="",
    ),
    "ustc-attn": replace(
        _USTC_NETWORK,
        builder="edgeau_training.networks.ustc.network:build_attn",
        title="USTC (attention fusion)",
    ),
    "ustc-backbone": replace(
        _USTC_NETWORK,
        builder="edgeau_training.networks.ustc.network:build_backbone",
        title="USTC's ablation: the backbone alone",
    ),
    "ustc-fixed": _USTC_NETWORK,
    "ustc-relations": replace(
        _USTC_NETWORK,
        builder="edgeau_training.networks.ustc.network:build_relations",
        title="USTC's ablation: the AU branch alone",
    ),
}


def network_facts(name: str, **options: Any) -> NetworkFacts:
    """The facts of a network as it is built with these options.

    Args:
        name: name in the zoo.
        options: what its builder takes; ``mode`` and ``size`` change the input, the others change nothing here.

    Raises:
        UsageError: the name is not known.
    """
    if name not in CATALOGUE:
        raise UsageError(f"network {name!r} is not known; known networks: {', '.join(sorted(CATALOGUE))}")
    facts = CATALOGUE[name]
    size = options.get("size", facts.input.size[0])
    if options.get("mode") == "modern":
        facts = replace(facts, input=_symmetric(facts.input.size[0]))
    if size != facts.input.size[0]:
        alignment = _resized(facts.alignment, size)
        facts = replace(facts, input=replace(facts.input, size=(size, size)), alignment=alignment)
    return facts


def _resized(alignment: Aligner, size: int) -> Aligner:
    """The same view of a face in another number of pixels."""
    if isinstance(alignment, ArcFaceTemplate) or not isinstance(alignment, Alignment):
        return ArcFaceTemplate(size)
    return Alignment(size=size, canvas=round(alignment.canvas * size / alignment.size))
