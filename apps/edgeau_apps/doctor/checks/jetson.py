"""A Jetson's JetPack, and what it brings."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau._system.install_lines import pip_line
from edgeau_apps.doctor.compatibility import jetpack_of
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]


def check(machine: MachineDescription) -> Iterator[Finding]:
    """Nothing elsewhere."""
    if not machine.is_jetson:
        return
    jetpack = jetpack_of(machine)
    if jetpack is None:
        yield Finding(
            "warning",
            "JetPack",
            f"L4T {machine.l4t or 'of unknown release'} is none of the known ones (35 to 39)",
            "update the board with JetPack 6 or later",
        )
        return
    yield Finding(
        "good",
        "JetPack",
        f"{jetpack.name} (L4T {machine.l4t}): TensorRT {jetpack.tensorrt}, CUDA {jetpack.cuda}; "
        f"export with --target {jetpack.target}",
    )
    if not machine.version("tensorrt"):
        yield Finding(
            "warning",
            "TensorRT",
            "its Python module cannot be seen, so networks run on the processor only",
            "sudo apt install python3-libnvinfer, and make the environment with --system-site-packages",
        )
    elif not machine.version("cuda-python"):
        yield Finding(
            "warning",
            "CUDA",
            "TensorRT is there, but cuda-python, which moves data to the GPU, is not",
            pip_line(f"cuda-python=={jetpack.cuda.partition('.')[0]}.*"),
        )
