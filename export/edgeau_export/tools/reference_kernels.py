"""The integer file that an Ethos-U file is compiled from, in LiteRT's reference kernels.

Arm promises that the NPU computes what the reference kernels of TensorFlow Lite compute, bit for bit; the compiled file itself
runs on the NPU only. So the answers of the file before compilation stand for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeau.errors import EngineError
from edgeau.runtimes.litert import LiteRTSession
from edgeau.runtimes.litert_interpreter import OpenedModel, litert
from edgeau.runtimes.session import EngineInfo

__all__ = ["ReferenceKernels", "reference_interpreter"]


class ReferenceKernels(LiteRTSession):
    """A ``.tflite`` file in LiteRT's reference kernels: slow, and exact.

    Args:
        source: the ``.tflite`` file before compilation.
        device: that it was compiled for; the answers are the same for each.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: the file is refused, or this LiteRT has no reference kernels.
    """

    def __init__(self, source: Path, *, device: str) -> None:
        del device
        super().__init__(source, threads=1)

    def _open(self, model: Path | bytes) -> OpenedModel:
        runtime = litert()
        return OpenedModel(reference_interpreter(model), runtime.package, runtime.version)

    def describe(self) -> EngineInfo:  # noqa: D102
        info = super().describe()
        return EngineInfo("litert", info.version, "reference kernels, before compilation", 1, info.batch)


def reference_interpreter(source: Path | bytes, *, preserve: bool = False) -> Any:
    """LiteRT's interpreter of a ``.tflite`` file with the reference kernels.

    Args:
        source: the file, or its content.
        preserve: keep what every operator answered.

    Raises:
        EngineError: this LiteRT has no reference kernels.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise EngineError(f"LiteRT's reference kernels need ai-edge-litert ({error})") from error
    given = {"model_path": str(source)} if isinstance(source, Path) else {"model_content": source}
    interpreter = Interpreter(
        **given,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=preserve,
    )
    interpreter.allocate_tensors()
    return interpreter
