"""The machine that an engine is tied to: TensorRT, GPU and driver."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeau.runtimes.tensorrt.cuda import Cuda

__all__ = ["Machine", "this_machine"]

# The kernel module's own line on a PC; the release of the board's software on a Jetson, where there is no such line.
_DRIVER_FILES = (Path("/proc/driver/nvidia/version"), Path("/etc/nv_tegra_release"))


@dataclass(frozen=True)
class Machine:
    """An engine built under one of these values does not serve under another.

    Attributes:
        tensorrt: version.
        gpu: name.
        capability: compute capability, such as ``"8.7"`` of an Orin.
        driver: the newest CUDA that it knows, and its own version line where there is one.
    """

    tensorrt: str
    gpu: str
    capability: str
    driver: str

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        return asdict(self)


def this_machine(trt: Any, cuda: Cuda) -> Machine:
    """Describe the current GPU.

    Raises:
        EngineError: there is none.
    """
    properties = cuda.properties(cuda.device())
    name = properties.name
    return Machine(
        tensorrt=str(trt.__version__),
        gpu=name.decode(errors="replace").rstrip("\0") if isinstance(name, bytes) else str(name),
        capability=f"{properties.major}.{properties.minor}",
        driver=f"CUDA {cuda.driver_version()}{_driver_line()}",
    )


def _driver_line() -> str:
    for file in _DRIVER_FILES:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        if lines:
            return f", {' '.join(lines[0].split())}"
    return ""
