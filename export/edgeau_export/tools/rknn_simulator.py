"""Rockchip's simulator: an ONNX file built for an NPU and run as RKNN-Toolkit2 says that the NPU would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.runtimes.session import EngineInfo, Session
from edgeau_export.tools.tool_process import ToolProcess

__all__ = ["RknnSimulator"]

# Of RKNN's 0 to 3. With its default of 3 more nodes are fused, and ranges of the file between them are given up.
_OPTIMIZATION = 2


class RknnSimulator(Session):
    """An ONNX file with one float32 input, built for a device.

    The simulator runs what it has just built, never a ``.rknn`` file: so the same build that is exported is what answers.

    Args:
        source: the ONNX file, float or Q/DQ.
        device: such as ``"rk3588"``.
        calibration: a list of ``.npy`` files of crops, one a line, that the tool quantizes a float file with by itself; None builds
            the file as it is.
        config: further options of RKNN's ``config``, such as ``optimization_level``.

    Raises:
        DependencyError: the environment is not there; the message has the command that makes it.
        EngineError: the tool refuses the file.
    """

    def __init__(
        self,
        source: Path,
        *,
        device: str,
        calibration: Path | None = None,
        config: dict[str, int | str] | None = None,
    ) -> None:
        self._device = device
        value = onnx.load(str(source), load_external_data=False).graph.input[0]
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:]
        self._process = ToolProcess("rknn", "rknn_run.py")
        try:
            self._process.ask(
                build=str(source.absolute()),
                device=device,
                input=value.name,
                shape=shape,
                config={"optimization_level": _OPTIMIZATION, **(config or {})},
                **({} if calibration is None else {"calibration": str(calibration)}),
            )
        except BaseException:
            self._process.close()
            raise

    def export(self, file: Path) -> None:
        """Write the build as a ``.rknn`` file."""
        self._process.ask(export=str(file.absolute()))

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        return self._process.run(batch)

    def describe(self) -> EngineInfo:  # noqa: D102
        return EngineInfo("rknn", self._process.version, f"simulator of {self._device}", None, 1)

    def close(self) -> None:  # noqa: D102
        self._process.close()
