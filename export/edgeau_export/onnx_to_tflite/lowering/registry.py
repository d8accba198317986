"""ONNX operator -> the function that writes it as TFLite operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import tables

__all__ = ["LOWERINGS", "Lowering", "fused_activation", "lowers", "options"]


@dataclass(frozen=True)
class Lowering:
    """Function that writes one ONNX operator.

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


def options(table: str, **fields: object) -> Any:
    """An options table by its name in the schema, such as ``"Pool2D"``, with the given fields.

    ``edgeau_export.onnx_to_tflite.fusion`` puts the activation of a node that swallowed one into its attributes.
    """
    made = getattr(tables, f"{table}OptionsT")()
    for name, value in fields.items():
        assert hasattr(made, name), f"{table}Options has no {name}"
        setattr(made, name, value)
    return made


def fused_activation(op: Operation) -> int:
    """Code of the activation that was fused into the node."""
    name: str = op.attribute("fused_activation", "NONE")
    code: int = getattr(tables.ActivationFunctionType, name)
    return code
