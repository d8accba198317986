"""Reshape of a tensor whose axes lie in another order than ONNX thinks.

Axes of the old and the new shape are matched in groups of equal size. Where the axes of every group lie side by side and in
order, the memory can stay; else one TRANSPOSE brings them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.tensor import NHWC, Layout, Tensor, physical, plain

__all__ = ["reshape_values"]


@dataclass
class _Group:
    """Old axes that become new axes, by number."""

    old: list[int]
    new: list[int]


def reshape_values(op: Operation, tensor: Tensor, old: Sequence[int], new: Sequence[int]) -> Tensor:
    """The same numbers, in ONNX's order, in another shape.

    Args:
        op: that asks for it.
        tensor: to be reshaped.
        old: its shape in ONNX's axis order.
        new: the shape to be, in ONNX's axis order.
    """
    groups = _groups(old, new)
    order = _order_in_memory(groups, tensor.layout, old)
    if order is None:
        order = _order_of_choice(groups, len(new))
        tensor = op.values.in_layout(tensor, tuple(axis for group in order for axis in group.old))
    layout = tuple(axis for group in order for axis in group.new)
    shape = physical(new, layout)
    if shape == tensor.shape:
        return replace(tensor, layout=layout)
    result = op.temporary(new, layout, tensor.quantization)
    return op.emit(Op.RESHAPE, [tensor, op.numbers(*shape)], result)


def _groups(old: Sequence[int], new: Sequence[int]) -> list[_Group]:
    groups = []
    i = j = 0
    while i < len(old) and j < len(new):
        group, left, right = _Group([i], [j]), old[i], new[j]
        i, j = i + 1, j + 1
        while left != right:
            if left < right:
                group.old.append(i)
                left, i = left * old[i], i + 1
            else:
                group.new.append(j)
                right, j = right * new[j], j + 1
        groups.append(group)
    # What is left over has length 1.
    groups[-1].old += range(i, len(old))
    groups[-1].new += range(j, len(new))
    return groups


def _order_in_memory(groups: list[_Group], layout: Layout, shape: Sequence[int]) -> list[_Group] | None:
    """The groups as they follow each other in memory; None where one of them is scattered or out of order."""
    wide = [axis for axis in layout if shape[axis] != 1]
    for group in groups:
        places = [wide.index(axis) for axis in group.old if shape[axis] != 1]
        if places and places != list(range(places[0], places[0] + len(places))):
            return None
    return sorted(groups, key=lambda group: _place(group, layout, shape))


def _place(group: _Group, layout: Layout, shape: Sequence[int]) -> int:
    telling = [axis for axis in group.old if shape[axis] != 1] or group.old
    return min(layout.index(axis) for axis in telling)


def _order_of_choice(groups: list[_Group], rank: int) -> list[_Group]:
    """Choose the order that suits the operators that follow: NHWC for four axes where the groups allow it, else as ONNX has it."""
    wanted = NHWC if rank == 4 else plain(rank)
    order = sorted(groups, key=lambda group: wanted.index(group.new[0]))
    return order if tuple(axis for group in order for axis in group.new) == wanted else groups
