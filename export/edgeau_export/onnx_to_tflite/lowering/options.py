"""TFLite's option tables, filled in; and the activation that a kernel applies on its way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeau_export.onnx_to_tflite.schema import tables

if TYPE_CHECKING:
    from edgeau_export.onnx_to_tflite.operation import Operation

__all__ = ["fused_activation", "options"]


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
