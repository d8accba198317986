"""The processor, as far as its arithmetic goes, and how many threads one inference gets when nobody says."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = [
    "default_threads",
    "processor_identity",
    "processor_name",
    "thread_counts",
    "usable_processors",
]

_MOST_THREADS = 4

# Lines of /proc/cpuinfo that say what kernels an engine will choose; x86 and ARM have different ones.
_KEYS = (
    "vendor_id",
    "model name",
    "flags",
    "CPU implementer",
    "CPU architecture",
    "CPU variant",
    "CPU part",
    "Features",
)

_ARM, _NVIDIA = "0x41", "0x4e"
# The technical reference manuals' "MIDR_EL1" of what boards have.
_CORES = {
    (_ARM, "0xc07"): "Cortex-A7",
    (_ARM, "0xd03"): "Cortex-A53",
    (_ARM, "0xd04"): "Cortex-A35",
    (_ARM, "0xd05"): "Cortex-A55",
    (_ARM, "0xd07"): "Cortex-A57",
    (_ARM, "0xd08"): "Cortex-A72",
    (_ARM, "0xd09"): "Cortex-A73",
    (_ARM, "0xd0a"): "Cortex-A75",
    (_ARM, "0xd0b"): "Cortex-A76",
    (_ARM, "0xd0c"): "Neoverse-N1",
    (_ARM, "0xd0d"): "Cortex-A77",
    (_ARM, "0xd40"): "Neoverse-V1",
    (_ARM, "0xd41"): "Cortex-A78",
    (_ARM, "0xd42"): "Cortex-A78AE",
    (_ARM, "0xd46"): "Cortex-A510",
    (_ARM, "0xd47"): "Cortex-A710",
    (_ARM, "0xd49"): "Neoverse-N2",
    (_ARM, "0xd4b"): "Cortex-A78C",
    (_ARM, "0xd4f"): "Neoverse-V2",
    (_NVIDIA, "0x004"): "NVIDIA Carmel",
}


def processor_identity() -> str:
    """A text that is the same on processors with the same instructions, and stays the same over restarts."""
    lines = {line for line in _cpuinfo().splitlines() if line.split(":")[0].strip() in _KEYS}
    if lines:
        return "\n".join(sorted(lines))
    return f"{platform.machine()} {platform.processor()}"


def processor_name() -> str:
    """The processor's common name, such as ``"Cortex-A76"``; two kinds of cores have `` + `` between them.

    ARM processors give numbers only (Arm's MIDR_EL1); one whose number is not known here keeps it.
    """
    found: list[str] = []
    implementer = ""
    for line in _cpuinfo().splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key.lower() == "model name":
            found.append(value)
        elif key == "CPU implementer":
            implementer = value
        elif key == "CPU part":
            found.append(_CORES.get((implementer, value), f"{implementer} {value}".strip()))
    return " + ".join(dict.fromkeys(found)) or platform.processor() or platform.machine()


def default_threads() -> int:
    """Half of the processors that this process may use, between 1 and 4.

    Ours: the other half stays for the camera, the face landmarks and the program around us; and a network of this size at
    batch 1 gains little from more than four.
    """
    return min(max(usable_processors() // 2, 1), _MOST_THREADS)


def thread_counts() -> tuple[int, ...]:
    """The counts that are worth measuring here: 1, 2 and 4, as far as there are processors."""
    return tuple(count for count in (1, 2, _MOST_THREADS) if count <= usable_processors())


def usable_processors() -> int:
    """Processors that this process may run on, 1 or more."""
    try:
        return len(os.sched_getaffinity(0))  # containers and taskset restrict it
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return ""
