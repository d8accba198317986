"""Rows of a network's tensors by label, so that weights of other labels are matched by name.

A tensor's axis belongs to labels where its length follows their number: the network is built for two label sets, and what
differs is compared. Where a label has several entries (the node features of a graph), they stand together. Two label sets of one length would fit each other by shape, and AU14 would become AU15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from edgeau.action_units.names import NAMES
from edgeau_training.networks import build_network

__all__ = ["label_axes", "matched_rows"]


def label_axes(name: str, labels: Sequence[str], options: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Find, in every tensor that has some, the axes whose length is a multiple of the number of labels."""
    more = (*labels, next(f"AU{number}" for number in NAMES if f"AU{number}" not in labels))
    with torch.random.fork_rng(devices=[]):  # what is drawn here must not change what a run draws
        shapes = [
            {
                key: tuple(value.shape)
                for key, value in build_network(name, some, **options).state_dict().items()
            }
            for some in (tuple(labels), more)
        ]
    found = {}
    for key, shape in shapes[0].items():
        other = shapes[1].get(key, ())
        axes = tuple(axis for axis, sizes in enumerate(zip(shape, other, strict=False)) if len({*sizes}) > 1)
        if axes or len(shape) != len(other):
            found[key] = axes
    return found


def matched_rows(
    tensor: Tensor, own: Tensor, axes: Sequence[int], old: Sequence[str], new: Sequence[str]
) -> Tensor | None:
    """The network's own tensor with the entries of all labels that a file has too.

    Args:
        tensor: tensor of the file, in the order of ``old``.
        own: of the network, in the order of ``new``; it stays where the file has no such label.
        axes: see :func:`label_axes`.
        old: labels of the file.
        new: labels of the network.

    Returns:
        None where the shapes do not belong to these labels, so that nothing can be matched.
    """
    if tensor.ndim != own.ndim or not axes:
        return None
    each = {axis: own.shape[axis] // len(new) for axis in axes}
    for axis in range(own.ndim):
        expected = each[axis] * len(old) if axis in axes else own.shape[axis]
        if tensor.shape[axis] != expected:
            return None
    both = [label for label in new if label in old]
    result = own.clone()
    for chosen in product(both, repeat=len(axes)):
        source: list[slice] = [slice(None)] * own.ndim
        target = list(source)
        for axis, label in zip(axes, chosen, strict=True):
            source[axis] = _entries(old.index(label), each[axis])
            target[axis] = _entries(new.index(label), each[axis])
        result[tuple(target)] = tensor[tuple(source)]
    return result


def _entries(place: int, each: int) -> slice:
    return slice(place * each, (place + 1) * each)
