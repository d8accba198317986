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
        variant: major revision of the core; XNNPACK takes other kernels for the first Cortex-A55, r0, than for later ones.
    """

    name: str
    cpu: str
    part: str
    features: str
    variant: str = "0x0"

    def cpuinfo(self, cores: int = 4) -> str:
        """Content of ``/proc/cpuinfo``."""
        return "".join(
            f"processor\t: {number}\nBogoMIPS\t: 108.00\nFeatures\t: {self.features}\n"
            f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: {self.variant}\n"
            f"CPU part\t: {self.part}\nCPU revision\t: 3\n\n"
            for number in range(cores)
        )


BOARDS = {
    board.name: board
    for board in (
        Board("raspberrypi4", "cortex-a72", "0xd08", _V8_0),
        Board("raspberrypi5", "cortex-a76", "0xd0b", _V8_2),
        Board("raspberrypizero2w", "cortex-a53", "0xd03", _V8_0),
        # qemu 7.2 has no Cortex-A55, and the instructions that an engine uses of it are those of the Cortex-A76.
        Board("rk3566", "cortex-a76", "0xd05", _V8_2, "0x2"),
    )
}

# What edgeau's recipes are for, and what is run unless others are asked for.
USUAL = ("raspberrypi4", "raspberrypi5")
