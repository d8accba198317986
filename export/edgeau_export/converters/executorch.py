"""Artifacts for ExecuTorch: the float graph, or its Q/DQ graph, exported by torch and lowered to XNNPACK in ExecuTorch's environment."""

from __future__ import annotations

from pathlib import Path

import onnx

from edgeau._system.scratch_folder import scratch_folder
from edgeau._system.tool_environment import TOOLS
from edgeau.bundle.manifest import Compiled
from edgeau.errors import ConversionError, EngineError
from edgeau.runtimes.precision import PRECISIONS
from edgeau_export.converters.conversion import ConversionRequest, ConversionResult
from edgeau_export.tools.executorch_session import ExecuTorchSession
from edgeau_export.tools.tool_process import ToolProcess

__all__ = ["convert"]

# Of what ONNX Runtime is allowed: XNNPACK sums in another order.
_LOOSER = 8.0


def convert(request: ConversionRequest) -> ConversionResult:
    """Write the ``.pte``; scales of a Q/DQ graph are kept, nothing is calibrated anew.

    Raises:
        ConversionError: a node has no form in torch, or ExecuTorch cannot lower the graph.
        DependencyError: ExecuTorch's environment is not there.
    """
    shape = [dim.dim_value for dim in request.graph.graph.input[0].type.tensor_type.shape.dim][1:]
    with scratch_folder("executorch") as folder, ToolProcess("executorch", "executorch_build.py") as tool:
        source = Path(folder) / "graph.onnx"
        onnx.save(request.graph, source)
        try:
            counted = tool.ask(build=str(source), export=str(request.file.absolute()), shape=shape)
            # XNNPACK builds its operators when a file is opened, and may refuse then what was lowered without a word.
            ExecuTorchSession(request.file).close()
        except EngineError as error:
            raise ConversionError(f"{request.file.name}: {error}") from error
        version = tool.version
    compiled = Compiled(
        compiler=f"{TOOLS['executorch'].distribution} {version}",
        device="any",
        operators=counted["operators"],
        on_accelerator=counted["delegated"],
        assumptions=f"operators in {counted['delegates']} delegates of XNNPACK",
    )
    is_float = PRECISIONS[request.artifact.precision].is_float
    return ConversionResult(
        tolerance=_LOOSER * request.reference.allowed if is_float else None, compiled=compiled
    )
