"""Provenance of a benchmark: where it ran, and whether the board throttled meanwhile."""

from __future__ import annotations

import datetime as dt
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgeau import __version__
from edgeau.live.temperature import Thermometer
from edgeau.runtimes.table import engine_versions
from edgeau_apps.bench.result import MeasuringConditions
from edgeau_apps.doctor.machine import MachineDescription
from edgeau_apps.doctor.probe import this_machine

__all__ = ["Began", "provenance", "throttle_count", "throttling", "vcgencmd_flags"]

_CPUS = Path("/sys/devices/system/cpu")
# Bits of "vcgencmd get_throttled", of the Raspberry Pi documentation.
_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


class Began:
    """The state of the machine when a benchmark begins."""

    def __init__(self) -> None:
        self.date = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        self.load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        self.temperature = Thermometer().read(0.0)
        self.throttles = throttle_count()


def provenance(digest: str, network: str, argv: Sequence[str], began: Began) -> MeasuringConditions:
    """Everything about a benchmark but its figures; call it when it has ended.

    Args:
        digest: digest of the bundle or file that was measured.
        network: for people.
        argv: the command's arguments.
        began: from before.
    """
    machine: MachineDescription = this_machine(imports=False)
    return MeasuringConditions(
        command=shlex.join(["edgeau-bench", *argv]),
        date=began.date,
        edgeau=__version__,
        bundle=digest,
        network=network,
        board=machine.board,
        processor=machine.cpu,
        cores=machine.cores,
        os=machine.os,
        python=machine.python,
        engines=engine_versions(),
        load=began.load,
        temperature_c=(began.temperature, Thermometer().read(0.0)),
        throttled=throttling(began.throttles),
    )


def throttling(before: int | None = None) -> str:
    """Say in words what the board throttles now; "" where nothing is throttled or the system does not tell.

    Args:
        before: value of :func:`throttle_count` when the benchmark began.
    """
    if shutil.which("vcgencmd"):
        done = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, text=True, check=False)
        return vcgencmd_flags(done.stdout)
    now = throttle_count()
    if before is not None and now is not None and now > before:
        return "throttled"
    return ""


def throttle_count() -> int | None:
    """A number that grows while x86 processors are throttled, None where the system does not say; those of a core or package that several share count several times."""
    files = list(_CPUS.glob("cpu[0-9]*/thermal_throttle/*_throttle_count"))
    try:
        return sum(int(file.read_text()) for file in files) if files else None
    except (OSError, ValueError):  # a processor was taken offline
        return None


def vcgencmd_flags(text: str) -> str:
    """``"throttled=0x50005"`` -> ``"under-voltage, throttled"``: what is so now, not what once was."""
    _, _, value = text.strip().partition("=")
    try:
        bits = int(value, 16)
    except ValueError:
        return ""
    return ", ".join(name for bit, name in _BITS.items() if bits >> bit & 1)
