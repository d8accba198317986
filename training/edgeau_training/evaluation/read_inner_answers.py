"""Reading of what parts of a network weigh for one face: attention, patches, edges between AUs, shares of its branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from edgeau_training.evaluation.inner_answers import InnerMap, InnerTable
from edgeau_training.networks.drml.region_layer import RegionLayer
from edgeau_training.networks.ustc.facial_graph import FacialGraph, adjacency
from edgeau_training.networks.ustc.fusion import AttentionShare, FixedShare
from edgeau_training.networks.ustc.local_region_perception import LocalRegionPerception

__all__ = ["read_inner_answers"]


def read_inner_answers(
    network: nn.Module, batch: Tensor, labels: Sequence[str]
) -> list[InnerMap | InnerTable]:
    """Run a network on one face and read what its parts weighed.

    USTC's networks give the attention of the local region perception, the edges of the AU graph and the share of the AU branch. DRML
    gives the importance of each patch of its region layer to each AU: the norm of activation times gradient over the patch
    (DRML's poster takes the norm of the weights of each AU, which is the same for every face). Other networks give nothing.

    Args:
        network: in evaluation mode.
        batch: one normalised crop, float32 ``(1, 3, H, W)``.
        labels: C labels in output order.
    """
    found: list[InnerMap | InnerTable] = []
    with ExitStack() as hooks:
        for module in network.modules():
            for kind, read in _READERS.items():
                if isinstance(module, kind):
                    hooks.enter_context(_listening(module, read, found, labels))
        patches: list[tuple[RegionLayer, Tensor]] = []
        for module in network.modules():
            if isinstance(module, RegionLayer):
                hooks.enter_context(_keeping(module, patches))
        answers = network(batch)[0]
        for layer, maps in patches:
            found += _patches(layer, maps, answers, labels)
    return found


_Read = Callable[[nn.Module, tuple[Tensor, ...], Tensor | float, Sequence[str]], InnerMap | InnerTable]


@contextmanager
def _listening(
    module: nn.Module, read: _Read, found: list[InnerMap | InnerTable], labels: Sequence[str]
) -> Iterator[None]:
    def hear(one: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | float) -> None:
        with torch.no_grad():
            found.append(read(one, inputs, output, labels))

    handle = module.register_forward_hook(hear)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _keeping(layer: RegionLayer, kept: list[tuple[RegionLayer, Tensor]]) -> Iterator[None]:
    def keep(one: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kept.append((cast("RegionLayer", one), output))

    handle = layer.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


def _attention(
    module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor | float, _labels: Sequence[str]
) -> InnerMap:
    seen = cast("LocalRegionPerception", module).attention(inputs[0])[0, 0]
    return InnerMap("attention", "attention of the local region perception", seen.float().numpy())


def _edges(
    module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor | float, labels: Sequence[str]
) -> InnerTable:
    graph = cast("FacialGraph", module)
    hears = adjacency(inputs[0].float(), graph.neighbours)[0].bool().numpy()
    rows = []
    for row, label in enumerate(labels):
        others = [other for column, other in enumerate(labels) if hears[row, column] and column != row]
        rows.append((label, ", ".join(others) or "itself alone"))
    return InnerTable("edges of the AU graph in this face", ("AU", "hears"), tuple(rows))


def _share(
    _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor | float, labels: Sequence[str]
) -> InnerTable:
    shares = [output] if isinstance(output, float) else output[0].tolist()
    names = labels if len(shares) == len(labels) > 1 else ("all",)
    rows = tuple(
        (name, f"{share:.2f}", f"{1 - share:.2f}") for name, share in zip(names, shares, strict=True)
    )
    return InnerTable("shares of the branches", ("AU", "AU branch", "backbone"), rows)


_READERS: dict[type[nn.Module], _Read] = {
    LocalRegionPerception: _attention,
    FacialGraph: _edges,
    FixedShare: _share,
    AttentionShare: _share,
}


def _patches(layer: RegionLayer, maps: Tensor, answers: Tensor, labels: Sequence[str]) -> Iterator[InnerMap]:
    for column, (label, answer) in enumerate(zip(labels, answers, strict=True)):
        (gradient,) = torch.autograd.grad(answer, maps, retain_graph=column + 1 < len(labels))
        weighed = layer.patches(gradient * maps.detach())[0]
        size = weighed.reshape(layer.grid**2, -1).norm(dim=1).reshape(layer.grid, layer.grid)
        yield InnerMap(f"patches.{label}", f"{label}: patches of the region layer", size.float().numpy())
