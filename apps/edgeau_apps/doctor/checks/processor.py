"""What the processor's instructions promise for INT8."""

from __future__ import annotations

from collections.abc import Iterator

from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["check"]

# Instructions that multiply four pairs of bytes at once; without them INT8 is often slower than float.
_DOT = {
    "asimddp": "Armv8.2 dot product",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "i8mm": "int8 matrix product",
}


def check(machine: MachineDescription) -> Iterator[Finding]:
    """Whether INT8 can be faster than float here."""
    named = f"{machine.cpu or machine.architecture}, {machine.cores} core{'s' * (machine.cores != 1)}"
    found = [name for flag, name in _DOT.items() if flag in machine.cpu_features]
    if found:
        yield Finding("good", "processor", f"{named}; {found[0]}: INT8 can be faster than float")
    elif machine.cpu_features:
        yield Finding(
            "note",
            "processor",
            f"{named}; no dot-product instruction: INT8 may be slower than float, which is measured at first load",
        )
    else:
        yield Finding("note", "processor", f"{named}; its instructions are not known")
