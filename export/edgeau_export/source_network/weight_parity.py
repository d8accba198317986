"""The weights of an export against those of the network: each must be one of its known forms, to the rounding of float32.

Logits cannot tell: a single weight that is wrong by a thousandth moves them less than float32 rounds on the way. So weights
are compared themselves. A tensor belongs to the known form of as many numbers that fits best; which layer it stands in is what
the comparison of logits shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from edgeau_export.source_network.known_weights import KnownWeight

__all__ = ["HALF", "SINGLE", "WeightFaults", "faults_of_constants", "weight_faults"]

# Of what was added up to a weight: some eight roundings of float32, which folding in float32 takes.
SINGLE = 1e-6
# The same of float16, to its nearest.
HALF = 2.0**-11 + SINGLE
_SMALLEST_HALF = 2.0**-25  # half a step of float16 near zero
# A tensor is a known one with faults, and not another one, where at least so many of its numbers fit.
_MOST = 0.9
# Tensors of so few different numbers are masks and factors of the exporter, not weights.
_FEW = 8
# Of the root mean square of a tensor: beyond this it is not looked at number by number.
_NEAR = 0.05


@dataclass(frozen=True)
class WeightFaults:
    """Weights that do not fit.

    Attributes:
        wrong: one line for each tensor that is a known one but for some numbers.
        unknown: tensors that are no form of any weight.
        lost: weights of the network that no tensor has.
    """

    wrong: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.wrong or self.unknown or self.lost)

    def __str__(self) -> str:
        unknown = [f"{name} is not a weight of the network" for name in self.unknown]
        lost = [f"{name} of the network is nowhere" for name in self.lost]
        lines = [*self.wrong, *unknown, *lost]
        return "; ".join(lines[:3]) + (f"; {len(lines) - 3} more" if len(lines) > 3 else "")


def weight_faults(graph: onnx.ModelProto, known: Sequence[KnownWeight]) -> WeightFaults:
    """Compare every float constant of a graph.

    Args:
        graph: the export.
        known: from :func:`edgeau_export.source_network.known_weights.known_weights`.
    """
    return faults_of_constants(_float_constants(graph), known)


def faults_of_constants(
    constants: Iterable[tuple[str, NDArray[Any]]],
    known: Sequence[KnownWeight],
    *,
    rounding: float = SINGLE,
    any_order: bool = False,
    most: float = _MOST,
) -> WeightFaults:
    """Compare the float constants of a file.

    Args:
        constants: by name.
        known: as for :func:`weight_faults`.
        rounding: relative to what was added up to a number; :data:`HALF` where the file keeps float16.
        most: a tensor is a known one with faults where at least such a share of its numbers other than 0 fits, 0..1.
        any_order: a tensor may hold a known one's numbers in another order, as where columns follow another layout of pictures.
    """
    by_count: dict[int, list[tuple[float, KnownWeight]]] = {}
    for item in known:
        by_count.setdefault(item.values.size, []).append((_root_mean_square(item.values), item))
    wrong, unknown = [], []
    found: set[str] = set()
    for name, array in constants:
        candidates = by_count.get(array.size, ())
        compared = array
        best, misfits = _best(array.astype(np.float64), candidates, rounding)
        if any_order and (best is None or _fitting(array, misfits) < most):
            in_order = [(size, _sorted(item)) for size, item in candidates]
            compared = np.sort(array, axis=None)
            best, misfits = _best(compared.astype(np.float64), in_order, rounding)
        if best is not None and not misfits.any():
            found |= best.sources
        elif len(np.unique(array)) <= _FEW and array.size > _FEW:
            continue
        elif best is not None and _fitting(compared, misfits) >= most:
            found |= best.sources
            wrong.append(f"{name}: {int(misfits.sum())} of {array.size} numbers differ from {best.name}")
        elif array.size > 1:
            unknown.append(name)
    return WeightFaults(tuple(wrong), tuple(unknown), tuple(_lost(known, found, rounding)))


def _lost(known: Iterable[KnownWeight], found: set[str], rounding: float) -> list[str]:
    """Weights with names of their own that went into nothing.

    One that equals a found one, but for rounding, is none: they were merged, or each tensor was taken for the same one of the two.
    """
    own = {item.name: item for item in known if item.sources == {item.name} and item.values.size > 1}
    kept = [item for name, item in own.items() if name in found]
    return [
        name
        for name, item in own.items()
        if name not in found
        and len(np.unique(item.values)) > _FEW
        and not any(_same(one, item, rounding) for one in kept)
    ]


def _same(one: KnownWeight, other: KnownWeight, rounding: float) -> bool:
    if one.values.shape != other.values.shape:
        return False
    return bool((np.abs(one.values - other.values) <= rounding * np.maximum(one.size, other.size)).all())


def _float_constants(model: onnx.ModelProto) -> Iterable[tuple[str, NDArray[np.floating[np.float32]]]]:  # type: ignore[type-var]
    tensors = [(item.name, item) for item in model.graph.initializer]
    tensors += [
        (node.output[0], node.attribute[0].t)
        for node in model.graph.node
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value"
    ]
    for name, tensor in tensors:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.size:
            yield name, array


def _best(
    values: NDArray[np.float64], candidates: Iterable[tuple[float, KnownWeight]], rounding: float
) -> tuple[KnownWeight | None, NDArray[np.bool_]]:
    """The candidate with the fewest numbers that do not fit, and which those are."""
    best, misfits = None, np.ones(values.size, bool)
    size = _root_mean_square(values)
    for of_candidate, item in candidates:
        if values.size > 1 and abs(of_candidate - size) > _NEAR * size:
            continue
        for expected, allowed in _layouts(item, values.shape):
            # Numbers of one exponent below the largest are rounded to the same step as it.
            least = _SMALLEST_HALF if rounding == HALF else np.finfo(np.float32).tiny
            now = ~(np.abs(values.ravel() - expected) <= rounding * allowed + least)
            if best is None or now.sum() < misfits.sum():
                best, misfits = item, now
            if not misfits.any():
                return best, misfits
    return best, misfits


def _fitting(array: NDArray[Any], misfits: NDArray[np.bool_]) -> float:
    """Share of the numbers that fit, of those that are not 0, which many tensors have in common."""
    counted = array.ravel() != 0
    return 1 - float(misfits[counted].mean()) if counted.any() else 0.0


def _sorted(item: KnownWeight) -> KnownWeight:
    order = np.argsort(item.values, axis=None)
    return replace(item, values=item.values.ravel()[order], size=item.size.ravel()[order])


def _layouts(
    item: KnownWeight, shape: tuple[int, ...]
) -> Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Values and sizes, flat, as they lie and with axes exchanged where that gives the shape."""
    yield item.values.ravel(), item.size.ravel()
    rank = item.values.ndim
    if not 2 <= rank <= 4:
        return
    for order in permutations(range(rank)):
        if order != tuple(range(rank)) and tuple(item.values.shape[axis] for axis in order) == shape:
            yield item.values.transpose(order).ravel(), item.size.transpose(order).ravel()


def _root_mean_square(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
