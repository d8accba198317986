"""ONNX operator -> the function that writes it as TFLite operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeau_export.onnx_to_tflite.operation import Operation

__all__ = ["LOWERINGS", "Lowering", "lowers"]


@dataclass(frozen=True)
class Lowering:
    """How one ONNX operator is written.

    Attributes:
        function: takes the node, emits operators, and finishes with the answer's tensor.
        integer: TFLite has an integer kernel for it.
        parameters: inputs that need not be integers for that: bounds, axes, a bias.
    """

    function: Callable[[Operation], None]
    integer: bool = False
    parameters: tuple[int, ...] = ()


LOWERINGS: dict[str, Lowering] = {}


def lowers(
    *operators: str, integer: bool = False, parameters: tuple[int, ...] = ()
) -> Callable[[Callable[[Operation], None]], Callable[[Operation], None]]:
    """Enter a function for ONNX operators; see :class:`Lowering`."""

    def enter(function: Callable[[Operation], None]) -> Callable[[Operation], None]:
        for operator in operators:
            LOWERINGS[operator] = Lowering(function, integer, parameters)
        return function

    return enter
