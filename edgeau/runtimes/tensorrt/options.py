"""Options for building an engine, where TensorRT leaves a choice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edgeau.errors import EngineError

__all__ = ["EngineOptions", "dla_core_of"]

_DLA = "dla:"


@dataclass(frozen=True)
class EngineOptions:
    """Choices that change an engine; every one of them is part of its key in the cache.

    Attributes:
        workspace_mib: most memory that a kernel may use for scratch, MiB. A Jetson shares its memory with everything.
        optimization_level: 0 (builds fast) .. 5 (searches long); None takes TensorRT's own, 3. TensorRT 8.5 has none.
        dla_core: deep learning accelerator to run on, with the GPU for the layers that it cannot; None for the GPU alone.
        version_compatible: the engine also loads in later TensorRT of the same major version (8.6 and newer), slower.
        calibration: SHA-256 of a calibration cache for implicit INT8 (TensorRT 8 and 10), or None.
    """

    workspace_mib: int = 1024
    optimization_level: int | None = None
    dla_core: int | None = None
    version_compatible: bool = False
    calibration: str | None = None

    def __post_init__(self) -> None:
        if self.workspace_mib < 1:
            raise EngineError(f"a workspace of {self.workspace_mib} MiB was asked for; give 1 or more")
        if self.optimization_level is not None and not 0 <= self.optimization_level <= 5:
            raise EngineError(
                f"optimization level {self.optimization_level} was asked for; TensorRT has 0 to 5"
            )

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        return asdict(self)


def dla_core_of(provider: str | None) -> int | None:
    """The accelerator that a session's ``provider`` names: ``"dla:0"``, ``"dla:1"``; None and ``"gpu"`` name the GPU.

    Raises:
        EngineError: it names something else.
    """
    if provider is None or provider == "gpu":
        return None
    if provider.startswith(_DLA) and provider[len(_DLA) :].isdigit():
        return int(provider[len(_DLA) :])
    raise EngineError(
        f"TensorRT has no provider {provider!r}; it has gpu, and dla:0 or dla:1 where the board has them"
    )
