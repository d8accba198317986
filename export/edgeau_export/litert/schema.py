"""TFLite's FlatBuffers schema, as ai-edge-litert ships it. The only file that imports it."""

from __future__ import annotations

from typing import Any

from edgeau.errors import DependencyError
from edgeau.litert_runtime import install_advice

__all__ = ["BuiltinOperator", "tables"]

try:
    import flatbuffers
    from ai_edge_litert import schema_py_generated
except ImportError as error:
    raise DependencyError(
        f"writing .tflite files needs the schema that ai-edge-litert ships ({error}): {install_advice()}"
    ) from error

# 170 generated classes without types: Any keeps the rest honest about where they come from.
tables: Any = schema_py_generated
BuiltinOperator: Any = schema_py_generated.BuiltinOperator
Builder: Any = flatbuffers.Builder
