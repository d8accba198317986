"""Artifacts for Rockchip's NPUs: an ONNX file of the bundle, built by RKNN-Toolkit2 in its own environment."""

from __future__ import annotations

from edgeau._system.tool_environment import TOOLS
from edgeau.bundle.manifest import Compiled
from edgeau.errors import ConversionError, EngineError
from edgeau_export.converters.conversion import ConversionRequest, ConversionResult
from edgeau_export.tools.rknn_simulator import RknnSimulator

__all__ = ["convert"]


def convert(request: ConversionRequest) -> ConversionResult:
    """Build the source and write the ``.rknn``; a Q/DQ source keeps its scales where RKNN keeps them.

    Raises:
        ConversionError: RKNN-Toolkit2 refuses the source.
        DependencyError: its environment is not there.
    """
    assert request.source is not None, "the target names no source"
    device = request.artifact.device or ""
    try:
        with RknnSimulator(request.source, device=device) as simulator:
            simulator.export(request.file)
            version = simulator.describe().version
    except EngineError as error:
        raise ConversionError(f"{request.file.name}: {error}") from error
    compiler = f"{TOOLS['rknn'].distribution} {version}"
    return ConversionResult(compiled=Compiled(compiler=compiler, device=device, source=request.source.name))
