"""Twenty networks of timm's and torchvision's kinds, as a stranger would bring them, with weights that behave as trained ones do.

Nothing can be downloaded for all of them, and random weights as they are initialised answer the same to every face. So each
network gets, in :func:`trained_like`: weights with heavy tails, channel scales that differ by factors as in trained networks,
residual branches that count (their scales start at 0 or 1e-6), batch statistics of real activations, and a head along the
directions in which its features of faces really differ. What it decides means nothing; how far quantization moves it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["ZOO", "ZooNetwork", "trained_like"]

_LABELS = tuple(f"AU{number}" for number in (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24))
# Standard deviation of a logit over faces, and the logits' mean: some 15 to 30 % of the decisions are positive.
_SPREAD, _MEAN = 2.5, -1.5
# Directions of the features that logits are mixed from.
_DIRECTIONS = 16
_BATCH = 32


@dataclass(frozen=True)
class ZooNetwork:
    """One row of the table.

    Attributes:
        build: the module with its last layer for ``labels``.
        size: height and width of its input, pixels.
        labels: in output order.
        grey: one channel instead of three.
    """

    build: Callable[[], nn.Module]
    size: tuple[int, int] = (128, 128)
    labels: tuple[str, ...] = _LABELS
    grey: bool = False


def _timm(name: str, **options: Any) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name, num_classes=len(_LABELS), **options)


def _torchvision(name: str) -> Callable[[], nn.Module]:
    return lambda: getattr(torchvision.models, name)(num_classes=len(_LABELS), weights=None)


def _vgg() -> nn.Module:
    """VGG-11 with batch norm; one layer instead of its three, of which the first alone has 100 M weights."""
    network = torchvision.models.vgg11_bn(weights=None)
    network.avgpool = nn.AdaptiveAvgPool2d(1)
    network.classifier = nn.Linear(512, len(_LABELS))
    return network


def _squeezenet() -> nn.Module:
    """Without the ReLU behind its classifier, which is for class scores: logits of AUs are negative too."""
    network = torchvision.models.squeezenet1_1(weights=None)
    network.classifier = nn.Sequential(nn.Conv2d(512, len(_LABELS), 1), nn.AdaptiveAvgPool2d(1))
    return network


def _grey() -> nn.Module:
    """The kind of small network that courses and challenges teach: 64 x 64, one channel."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]

    return nn.Sequential(
        *block(1, 32),
        *block(32, 64),
        *block(64, 128),
        nn.Flatten(),
        nn.Linear(128 * 64, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, len(_LABELS)),
    )


class _LabelGraph(nn.Module):
    """41 labels as nodes of a graph, as OpenGraphAU has them: node features, messages between nodes, cosine to a prototype."""

    def __init__(self, labels: int = 41, width: int = 128) -> None:
        super().__init__()
        self.backbone = torchvision.models.resnet18(weights=None)
        self.backbone.fc = nn.Identity()  # type: ignore[assignment]  # a module as any other
        self.nodes = nn.ModuleList([nn.Linear(512, width) for _ in range(labels)])
        self.edges = nn.Parameter(torch.randn(labels, labels) / labels**0.5)
        self.message = nn.Linear(width, width)
        self.norm = nn.BatchNorm1d(labels)
        self.prototypes = nn.Parameter(torch.randn(labels, width))
        self.scale = nn.Parameter(torch.ones(labels))
        self.bias = nn.Parameter(torch.zeros(labels))

    def forward(self, batch: Tensor) -> Tensor:
        features = self.backbone(batch)
        nodes = torch.stack([layer(features) for layer in self.nodes], dim=1)
        nodes = torch.relu(nodes + self.norm(self.edges.softmax(dim=1) @ self.message(nodes)))
        nodes = nn.functional.normalize(nodes, dim=-1)
        cosine = (nodes * nn.functional.normalize(self.prototypes, dim=-1)).sum(dim=-1)
        answer: Tensor = cosine * self.scale + self.bias
        return answer


_41 = tuple(f"N{number}" for number in range(1, 42))

ZOO: Mapping[str, ZooNetwork] = {
    "resnet18": ZooNetwork(_torchvision("resnet18")),
    "vgg11-bn": ZooNetwork(_vgg, (112, 112)),
    "grey-cnn-64": ZooNetwork(_grey, (64, 64), grey=True),
    "mobilenetv2": ZooNetwork(_timm("mobilenetv2_100")),
    "mobilenetv3-small": ZooNetwork(_timm("mobilenetv3_small_100")),
    "efficientnet-b0": ZooNetwork(_timm("efficientnet_b0")),
    "efficientnetv2-b0": ZooNetwork(_timm("tf_efficientnetv2_b0")),
    "regnety-002": ZooNetwork(_timm("regnety_002")),
    "repvgg-a0": ZooNetwork(_timm("repvgg_a0"), (112, 112)),
    "shufflenetv2": ZooNetwork(_torchvision("shufflenet_v2_x1_0")),
    "squeezenet": ZooNetwork(_squeezenet),
    "densenet121": ZooNetwork(_torchvision("densenet121"), (112, 112)),
    "ghostnet": ZooNetwork(_timm("ghostnet_100")),
    "convnext-atto": ZooNetwork(_timm("convnext_atto")),
    "convnextv2-atto": ZooNetwork(_timm("convnextv2_atto")),
    "fastvit-t8": ZooNetwork(_timm("fastvit_t8")),
    "mobilevit-xxs": ZooNetwork(_timm("mobilevit_xxs")),
    "deit-tiny": ZooNetwork(_timm("deit_tiny_patch16_224", img_size=128)),
    "swin-tiny": ZooNetwork(_timm("swin_tiny_patch4_window7_224", img_size=112), (112, 112)),
    "label-graph-41": ZooNetwork(_LabelGraph, (112, 112), _41),
}


def trained_like(network: nn.Module, faces: NDArray[np.float32], seed: int = 0) -> nn.Module:
    """The network with weights as above, in evaluation mode.

    Args:
        network: as its builder initialises it.
        faces: normalised, float32 ``(n, C, H, W)``; batch statistics and the head come from them.
        seed: of everything random.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        _spread_weights(network, random)
        _batch_statistics(network, faces)
        network.eval()
        _fit_head(network, faces, random)
    return network


def _spread_weights(network: nn.Module, random: torch.Generator) -> None:
    def normal(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=random)

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.mul_(
                torch.exp(0.5 * normal(module.weight)) * 0.88
            )  # the same variance, heavy tails
        elif "Norm" in type(module).__name__ and getattr(module, "weight", None) is not None:
            module.weight.copy_(torch.exp(0.4 * normal(module.weight)))
            if getattr(module, "bias", None) is not None:
                module.bias.copy_(0.3 * normal(module.bias))
    for name, parameter in network.named_parameters():
        # ConvNeXt's and FastViT's layer scales start at 1e-6, and their branches at nothing.
        if "gamma" in name.split(".")[-1] or name.split(".")[-2:-1] == ["layer_scale"]:
            parameter.copy_(0.3 * torch.exp(0.5 * normal(parameter)))


def _batch_statistics(network: nn.Module, faces: NDArray[np.float32]) -> None:
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # plain averages
    for _ in _answers(network, faces):
        pass
    for norm in norms:
        norm.eval()
        norm.momentum = 0.1


def _answers(network: nn.Module, faces: NDArray[np.float32]) -> list[Tensor]:
    pieces = (torch.from_numpy(faces[start : start + _BATCH]) for start in range(0, len(faces), _BATCH))
    return [network(piece) for piece in pieces]


def _fit_head(network: nn.Module, faces: NDArray[np.float32], random: torch.Generator) -> None:
    if isinstance(network, _LabelGraph):
        answers = torch.cat(_answers(network, faces))
        network.scale.copy_(_SPREAD / answers.std(dim=0).clamp_min(1e-6))
        network.bias.copy_(_MEAN - answers.mean(dim=0) * network.scale)
        return
    head = next(module for module in reversed(list(network.modules())) if _is_head(module))
    seen: list[Tensor] = []
    hook = head.register_forward_hook(lambda _, inputs, __: seen.append(_flat(inputs[0])))
    _answers(network, faces)
    hook.remove()
    features = torch.cat(seen)
    centred = features - features.mean(dim=0)
    # Columns of the mix are directions of the features, the ones in which faces differ most having the most say.
    _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
    count = min(_DIRECTIONS, len(sizes))
    mix = torch.randn(head.weight.shape[0], count, generator=random)
    weight = mix @ directions[:count]
    logits = centred @ weight.T
    weight *= (_SPREAD / logits.std(dim=0).clamp_min(1e-12))[:, None]
    head.weight.copy_(weight.reshape(head.weight.shape))
    assert head.bias is not None
    head.bias.copy_(_MEAN - features.mean(dim=0) @ weight.T)


def _is_head(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d | nn.Linear) and module.weight.shape[0] == len(_LABELS)


def _flat(features: Tensor) -> Tensor:
    """A head that is a convolution is followed by the mean over its map."""
    return features.mean(dim=(2, 3)) if features.ndim == 4 else features
