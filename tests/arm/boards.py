"""The processors that are emulated, and what Linux says of them in ``/proc/cpuinfo``.

Engines choose their kernels by that file, so each emulated processor needs its own: a Pi 5's on a Pi 4's processor ends
in an illegal instruction, an x86 machine's in a crash.
"""

from __future__ import annotations

from dataclasses import dataclass

_V8_0 = "fp asimd evtstrm crc32 cpuid"
_V8_2 = "fp asimd evtstrm crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: of its target.
        cpu: as qemu calls it.
        part: Arm's number of the core.
        features: that Linux reports.
    """

    name: str
    cpu: str
    part: str
    features: str

    def cpuinfo(self, cores: int = 4) -> str:
        """Content of ``/proc/cpuinfo``."""
        return "".join(
            f"processor\t: {number}\nBogoMIPS\t: 108.00\nFeatures\t: {self.features}\n"
            "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
            f"CPU part\t: {self.part}\nCPU revision\t: 3\n\n"
            for number in range(cores)
        )


BOARDS = {
    board.name: board
    for board in (
        Board("raspberrypi4", "cortex-a72", "0xd08", _V8_0),
        Board("raspberrypi5", "cortex-a76", "0xd0b", _V8_2),
    )
}
