"""Which maker writes the artifacts of which runtime.

A maker is a function ``make(plan, bench) -> Made``: it writes ``bench.directory / plan.file`` and says what is to be known
of it. Makers are imported when their runtime is planned, since each needs packages of its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from edgeau.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeau_export.context import Bench, Made
    from edgeau_export.targets.target import TargetArtifact

__all__ = ["MAKERS", "maker_of"]

MAKERS = {
    "onnxruntime": "edgeau_export.converters.onnxruntime",
    "litert": "edgeau_export.converters.litert",
    "tensorrt": "edgeau_export.converters.tensorrt.convert",
}


def maker_of(runtime: str) -> Callable[[TargetArtifact, Bench], Made]:
    """The maker of a runtime's artifacts.

    Raises:
        TargetError: no artifacts can be made for the runtime; those that can are named.
    """
    if runtime not in MAKERS:
        raise TargetError(f"runtime {runtime!r} is not known; known runtimes: {', '.join(MAKERS)}")
    make: Callable[[TargetArtifact, Bench], Made] = import_module(MAKERS[runtime]).make
    return make
