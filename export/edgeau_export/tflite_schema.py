"""Reading ``.tflite`` files by the schema that ai-edge-litert ships: its names for numbers, texts, and which tensors have values."""

from __future__ import annotations

from typing import Any

from edgeau.errors import DependencyError
from edgeau.runtimes.litert_interpreter import install_advice

__all__ = ["is_filled", "names_of", "text_of", "tflite_schema"]


def tflite_schema(file: str) -> Any:
    """The module of generated classes.

    Args:
        file: what is to be read, for the message.

    Raises:
        DependencyError: ai-edge-litert is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise DependencyError(f"reading {file} needs ai-edge-litert; {install_advice()}") from error
    return schema_py_generated


def names_of(enumeration: Any) -> dict[int, str]:
    """The names of an enumeration's numbers."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def text_of(name: Any) -> str:
    """A name, which the schema gives as bytes."""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def is_filled(buffer: Any) -> bool:
    """Tell whether a buffer has values: in its place, or behind the flatbuffer, where newer writers put large ones."""
    return (buffer.data is not None and len(buffer.data) > 0) or buffer.offset > 1
