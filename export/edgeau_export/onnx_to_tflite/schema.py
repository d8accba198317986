"""TFLite's FlatBuffers schema, as ai-edge-litert ships it. The only file that imports it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edgeau.errors import DependencyError
from edgeau.runtimes.litert_interpreter import install_advice

__all__ = ["Builder", "BuiltinOperator", "tables"]

try:
    # 170 generated classes without types: Any keeps the rest honest about where they come from.
    tables: Any = import_module("ai_edge_litert.schema_py_generated")
    Builder: Any = import_module("flatbuffers").Builder
except ImportError as error:
    raise DependencyError(
        f"writing .tflite files needs the schema that ai-edge-litert ships ({error}): {install_advice()}"
    ) from error

BuiltinOperator: Any = tables.BuiltinOperator
